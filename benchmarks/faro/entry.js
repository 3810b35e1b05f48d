// Grafana Faro as its documentation starts it, with its default instrumentations.
import { getWebInstrumentations, initializeFaro } from "@grafana/faro-web-sdk";

initializeFaro({
  url: `${location.origin}/collect`,
  app: { name: "shop", version: "2026.11", environment: "benchmark" },
  instrumentations: [...getWebInstrumentations()],
});
