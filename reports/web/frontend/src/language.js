// A browser whose locale is C calls its language "C", which `Intl` rejects: uPlot, which writes numbers in the browser's language, would
// throw when it is loaded, and no chart would be drawn. Import this before it.
try {
  new Intl.NumberFormat(navigator.language);
} catch {
  Object.defineProperty(navigator, "language", { value: "en" });
}
