// Preloaded into Playwright's driver (see event_waits.py). Chromium answers that it closes a tab and forgets it when a navigation is
// committed at the same moment (https://github.com/microsoft/playwright/issues/41900); Playwright would wait for ever.
"use strict";

/** Milliseconds until it is asked again. */
const PAUSE = 500;

/** `CRBrowser`: a tab is closed as often as it takes. It does a tab that closes already no harm. */
function changeBrowser(prototype) {
  const { _closePage } = prototype;
  prototype._closePage = async function (tab) {
    await _closePage.call(this, tab);
    const again = setInterval(() => {
      // What fails has no tab any more, or no browser.
      _closePage.call(this, tab).catch(() => clearInterval(again));
    }, PAUSE);
    tab._page.closedPromise.then(() => clearInterval(again));
  };
}

exports.CHANGES = [["_closePage", changeBrowser]];
