"use strict";
// One stream of news for all tabs of a browser; it ends when the last tab has gone.
const ports = new Set();
let source = null;
const tell = (news) => ports.forEach((port) => port.postMessage(news));
function open() {
  source = new EventSource("/live");
  source.onopen = () => tell({ state: "open" });
  source.onerror = () => {
    tell({ state: "closed" });
    if (source.readyState === EventSource.CLOSED) source = null;
  };
  source.addEventListener("news", (event) => tell(JSON.parse(event.data)));
  source.addEventListener("reset", () => tell({ reset: true }));
}
onconnect = (event) => {
  const [port] = event.ports;
  ports.add(port);
  port.onmessage = (message) => {
    if (message.data !== "bye") return;
    ports.delete(port);
    if (ports.size === 0 && source) { source.close(); source = null; }
  };
  if (!source) open();
  else if (source.readyState === EventSource.OPEN) port.postMessage({ state: "open" });
};
