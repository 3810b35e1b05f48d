// Checks one document. Runs after axe-core in an isolated world, where the page's scripts see nothing of it; the value is JSON.
(async ({ include, exclude, tags, off, top, framed, milliseconds, most, longest }) => {
  const kept = (globalThis.journeyAudit = { elements: [], frames: [] });
  const end = performance.now() + milliseconds;
  const late = [];
  // An earlier check of this document may have been ended in the middle.
  axe._running = false;
  axe.teardown();
  // What takes longest comes last, or it would take the time of all others.
  const slow = ["target-size", "link-in-text-block", "color-contrast-enhanced", "color-contrast"];
  axe._audit.rules.sort((a, b) => slow.indexOf(a.id) - slow.indexOf(b.id));
  // On a page of many elements time is up long before all rules are checked: the rest is left out, and said to be.
  for (const rule of axe._audit.rules) {
    rule.run = function (context, options, resolve, reject) {
      if (performance.now() < end) return Object.getPrototypeOf(this).run.call(this, context, options, resolve, reject);
      late.push(this.id);
      resolve({ id: this.id, result: "inapplicable", pageLevel: this.pageLevel, impact: null, nodes: [] });
    };
  }
  const known = new Set(axe.getRules().map((rule) => rule.ruleId));
  // What only the document of the page itself has to have.
  const ofTop = ["aria-hidden-body", "document-title", "html-has-lang", "meta-viewport", "meta-viewport-large"];
  const rules = Object.fromEntries([...off, ...(top ? [] : ofTop)].filter((id) => known.has(id)).map((id) => [id, { enabled: false }]));
  const context = { include: include.length ? include : [document], exclude, ...(top ? {} : { page: false }) };
  const result = await axe.run(context, {
    runOnly: { type: "tag", values: tags },
    rules,
    resultTypes: ["violations"],
    ancestry: true,
    elementRef: true,
    // Neither requests for style sheets nor messages that the page's scripts could answer.
    preload: false,
    iframes: false,
  });
  const text = (parts) => parts.flat(Infinity).join(" >>> ");
  const path = (parts) => text(parts).replace(/:nth-child\(\d+\)/g, "");
  const addresses = (element) => {
    const found = [];
    for (let one = element; one && found.length < 20; one = one.parentElement ?? one.getRootNode().host) {
      found.push(one.getAttribute("href") ?? "", one.getAttribute("src") ?? "");
    }
    return found.filter(Boolean).join("\n");
  };
  const markup = (element) => {
    if (element.children.length < 10 && element.textContent.length < longest) return element.outerHTML;
    return element.cloneNode(false).outerHTML;
  };
  let room = most;
  let leftOut = 0;
  const impacts = ["critical", "serious", "moderate", "minor"];
  const violations = result.violations.sort((a, b) => impacts.indexOf(a.impact) - impacts.indexOf(b.impact)).map((one) => {
    const places = new Map();
    for (const node of one.nodes) {
      const place = path(node.ancestry);
      const known = places.get(place);
      if (known) known.count += 1;
      else if (room-- <= 0) leftOut += 1;
      else {
        const html = markup(node.element);
        places.set(place, {
          index: kept.elements.push(node.element) - 1,
          target: text(node.target),
          path: place,
          html: html.length > longest ? "" : html,
          addresses: addresses(node.element),
          summary: node.failureSummary,
          count: 1,
        });
      }
    }
    const { id, impact, help, helpUrl, tags } = one;
    return { rule: id, impact, help, helpUrl, tags, count: one.nodes.length, elements: [...places.values()] };
  });
  if (framed) {
    for (const { frameSelector } of axe.utils.getFrameContexts(context)) {
      const frame = axe.utils.shadowSelect(frameSelector);
      if (frame) kept.frames.push({ frame, target: text([frameSelector]) });
    }
  }
  return JSON.stringify({
    violations,
    unclear: result.incomplete.filter((one) => !late.includes(one.id)).map((one) => one.id),
    late,
    leftOut,
    unknown: off.filter((id) => !known.has(id)),
    frames: kept.frames.map((one) => one.target),
  });
})
