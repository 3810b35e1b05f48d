// A single-page search: routes by pushState, data by fetch.
"use strict";
const app = document.getElementById("app");
const escape = (text) => text.replace(/[&<>"]/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[sign]);
const euros = (cents) => `€${(cents / 100).toFixed(2)}`;
const delay = new URLSearchParams(location.search).get("delay") ?? "0";

function list() {
  app.innerHTML = `<h1>Browse</h1>
    <form class="fields" role="search"><label>What are you looking for? <input type="search" name="q" autocomplete="off"></label><button class="main">Find</button></form>
    <p class="lead" role="status"></p><ul class="items"></ul>`;
  app.querySelector("form").onsubmit = (event) => {
    event.preventDefault();
    find(event.target.q.value);
  };
}

async function find(text) {
  const answer = await fetch(`/api/search?q=${encodeURIComponent(text)}&delay=${delay}`);
  const { products } = await answer.json();
  app.querySelector(".lead").textContent = `${products.length} found`;
  app.querySelector(".items").innerHTML = products
    .map((one) => `<li><a href="/app/item/${one.slug}">${escape(one.name)}</a><span>${euros(one.price)}</span></li>`).join("");
}

async function item(slug) {
  const answer = await fetch(`/api/products/${encodeURIComponent(slug)}?delay=${delay}`);
  const one = await answer.json();
  app.innerHTML = answer.ok
    ? `<p class="kind">${escape(one.kind)}</p><h1>${escape(one.name)}</h1><p class="lead">${escape(one.origin)}</p><p class="price big">${euros(one.price)}</p><p><a href="/app">Back to the list</a></p>`
    : `<h1>Not found</h1><p><a href="/app">Back to the list</a></p>`;
}

function route() {
  const slug = location.pathname.match(/^\/app\/item\/([^/]+)$/)?.[1];
  return slug ? item(slug) : list();
}

app.addEventListener("click", (event) => {
  const link = event.target.closest('a[href^="/app"]');
  if (!link) return;
  event.preventDefault();
  history.pushState({}, "", link.getAttribute("href"));
  route();
});
window.addEventListener("popstate", route);
route();
