// The checkout: three views, one page. The address bar follows, the page is never loaded again.
"use strict";
const root = document.getElementById("checkout");
const view = document.getElementById("view");

function element(tag, properties, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

function show(step, ...content) {
  history.pushState({ step }, "", step === "address" ? "/checkout" : `/checkout/${step}`);
  for (const item of root.querySelectorAll("[data-step]")) item.className = item.dataset.step === step ? "now" : "";
  view.replaceChildren(...content);
}

async function post(path, body) {
  const answer = await fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  const reply = await answer.json();
  if (!answer.ok) throw new Error(reply.error);
  return reply;
}

function failed(error) {
  view.append(element("p", { className: "alert", role: "alert", textContent: error.message }));
}

function address() {
  const input = element("input", { name: "address", autocomplete: "street-address", required: true });
  const form = element("form", { className: "fields" }, element("label", { textContent: "Address" }, input),
    element("button", { className: "main", textContent: "Continue to payment" }));
  form.onsubmit = async (event) => {
    event.preventDefault();
    try {
      await post("/api/checkout/address", { address: input.value });
      payment();
    } catch (error) { failed(error); }
  };
  show("address", element("h2", { textContent: "Where shall it go?" }), form);
}

function payment() {
  show("payment", element("h2", { textContent: `Pay ${root.dataset.total}` }),
    element("iframe", { title: "Payment", src: root.dataset.frame }));
}

window.addEventListener("message", async (event) => {
  if (event.data !== "paid") return;
  try {
    const { order } = await post("/api/checkout/finish", {});
    const open = element("button", { className: "main", textContent: "Open receipt" });
    open.onclick = () => window.open(`/receipt/${order}`, "_blank");
    show("done", element("h2", { textContent: "Thank you for your order" }), element("p", { textContent: `Your order is ${order}.` }), open);
  } catch (error) { failed(error); }
});

address();
