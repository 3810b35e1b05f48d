// Changes of the document, inside shadow roots too.
import { effect } from "./effects.js";
import { addEventListener, guarded } from "../natives.js";
import { MutationObserver } from "./natives.js";

const EVERYTHING = { subtree: true, childList: true, attributes: true, characterData: true };

/** Notes each change, and tells `changed` of it, with its records. */
export function watchDom(changed) {
  const note = (records) => {
    effect("dom");
    changed(records);
  };
  const observer = new MutationObserver(guarded((records) => note(records)));
  observer.observe(document, EVERYTHING);

  // A mutation observer does not look into shadow trees, so each new one is observed as it is made.
  const prototype = Element.prototype;
  const attachShadow = prototype.attachShadow;
  prototype.attachShadow = new Proxy(attachShadow, {
    apply(target, element, args) {
      const root = Reflect.apply(target, element, args);
      observer.observe(root, EVERYTHING);
      return root;
    },
  });
  // Shadow roots written in the HTML (`<template shadowrootmode>`) come without a call; closed ones stay unseen.
  addEventListener("DOMContentLoaded", () => {
    const walker = document.createTreeWalker(document, NodeFilter.SHOW_ELEMENT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      if (node.shadowRoot) observer.observe(node.shadowRoot, EVERYTHING);
    }
  });
  return () => {
    const records = observer.takeRecords();
    if (records.length) note(records);
  };
}
