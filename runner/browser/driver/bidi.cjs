// Preloaded into Playwright's driver (see event_waits.py). A Firefox that Playwright has not built is driven by WebDriver BiDi, and
// Playwright sets a colour scheme for each context and page there: releases without that command could open no context.
"use strict";

const MEDIA = "emulation.setMediaFeaturesOverride";

/** `BidiSession`: where nothing is to be overridden, a browser that cannot override anything has done it. */
function changeSession(prototype) {
  const { send } = prototype;
  prototype.send = async function (method, parameters) {
    const asked = send.call(this, method, parameters);
    if (method !== MEDIA || Object.values(parameters.features).some((value) => value)) return asked;
    return asked.catch((error) => {
      if (!String(error.message).includes("unknown command")) throw error;
      return {};
    });
  };
}

exports.CHANGES = [["addFrameBrowsingContext", changeSession]];
