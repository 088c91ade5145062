// Keeps the application on the device, one release at a time, and serves it from there.
// A release is used only when every file of it has arrived complete. Adds the headers that threads need.
"use strict";
const RELEASE = "{release}"; // sha256 of files.json, put in by the build
const HOME = new URL("./", self.location).href;
const NAME = `lookdown ${HOME} `;
const AT_ONCE = 6;
const ISOLATE = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "credentialless",
  "Cross-Origin-Resource-Policy": "same-origin",
};

const hex = (buffer) => [...new Uint8Array(buffer)].map((b) => b.toString(16).padStart(2, "0")).join("");
const digest = async (bytes) => hex(await crypto.subtle.digest("SHA-256", bytes));

// A file whose contents are what they should be; it bypasses the browser's cache if that holds another version.
async function complete(path, sha256) {
  for (const cache of ["no-cache", "reload"]) {
    const response = await fetch(HOME + path, { cache, credentials: "same-origin" });
    if (!response.ok) continue;
    const bytes = await response.arrayBuffer();
    if (await digest(bytes) === sha256) return kept(bytes, response.headers.get("Content-Type"));
  }
  throw new Error(`${path} did not arrive complete`);
}

const headed = (type) => ({ headers: { "Content-Type": type || "application/octet-stream", ...ISOLATE } });
const kept = (bytes, type) => new Response(bytes, headed(type));

// The model's file as it arrives, so that the page can tell how far it is; kept if it has arrived complete.
async function arriving(path, sha256, event) {
  const response = await fetch(HOME + path, { cache: "no-cache", credentials: "same-origin" });
  if (!response.ok) return response;
  const type = response.headers.get("Content-Type");
  const parts = [];
  const passing = new TransformStream({
    transform(part, controller) {
      parts.push(part);
      controller.enqueue(part);
    },
    async flush() {
      const bytes = await new Blob(parts).arrayBuffer();
      const right = await digest(bytes) === sha256;
      await keep(path, right ? kept(bytes, type) : await complete(path, sha256));
      if (!right) throw new Error(`${path} did not arrive complete`); // but the next try finds it
    },
  });
  event.waitUntil(response.body.pipeTo(passing.writable).catch(() => {}));
  return new Response(passing.readable, headed(type));
}

// Without room for it, a file is used all the same.
async function keep(path, response) {
  await (await caches.open(NAME + RELEASE)).put(HOME + path, response).catch(() => {});
}

// What earlier releases have on the device: by content, and by path.
async function had() {
  const contents = new Map(), paths = new Set();
  for (const name of await caches.keys()) {
    if (!name.startsWith(NAME) || name === NAME + RELEASE) continue;
    const cache = await caches.open(name);
    const listing = await cache.match(HOME + "files.json");
    if (!listing) continue;
    for (const [path, { sha256 }] of Object.entries(await listing.json())) {
      if (!await cache.match(HOME + path)) continue;
      paths.add(path);
      contents.set(sha256, () => cache.match(HOME + path));
    }
  }
  return { contents, paths };
}

async function fill() {
  const cache = await caches.open(NAME + RELEASE);
  const listing = await complete("files.json", RELEASE);
  const { contents, paths } = await had();
  // Extras are kept once they have been used.
  const left = Object.entries(await listing.clone().json())
    .filter(([path, { part }]) => part !== "extra" || paths.has(path));
  const take = async () => {
    for (let next; (next = left.pop());) {
      const [path, { sha256 }] = next;
      if (await cache.match(HOME + path)) continue;
      await cache.put(HOME + path, await contents.get(sha256)?.() ?? await complete(path, sha256));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, take));
  await cache.put(HOME + "files.json", listing);
}

async function install() {
  try {
    await fill();
  } catch (error) {
    if (error.name === "QuotaExceededError") await caches.delete(NAME + RELEASE);
    const pages = await clients.matchAll({ includeUncontrolled: true });
    for (const page of pages) page.postMessage({ failed: error.name });
    throw error;
  }
}

async function tidy() {
  for (const name of await caches.keys()) {
    if (name.startsWith(NAME) && ![NAME + RELEASE, NAME + "shared"].includes(name)) await caches.delete(name);
  }
  await clients.claim();
}

async function answer(event) {
  const { request } = event;
  const url = new URL(request.url);
  const path = url.origin + url.pathname;
  // Not by opening the cache: that would make one where the person has removed it.
  const kept = { cacheName: NAME + RELEASE };
  const found = await caches.match(path === HOME ? HOME + "index.html" : path, kept);
  if (found) return found;
  const listing = await caches.match(HOME + "files.json", kept);
  const name = path.slice(HOME.length);
  const extra = listing && (await listing.json())[name];
  if (!extra) return fetch(request);
  if (name.endsWith(".onnx")) return arriving(name, extra.sha256, event);
  const response = await complete(name, extra.sha256);
  await keep(name, response.clone());
  return response;
}

// A picture that another application shares: put aside for the page, which takes it from there.
async function share(request) {
  const picture = (await request.formData()).get("picture");
  if (picture) await (await caches.open(NAME + "shared")).put(HOME + "shared", new Response(picture));
  return Response.redirect(HOME + "?shared", 303);
}

addEventListener("install", (event) => {
  // Requests to other sites go past this worker where the browser can do that: Chromium does not
  // cancel one that went through it.
  event.addRoutes?.({ condition: { not: { urlPattern: `${HOME}*` } }, source: "network" });
  event.waitUntil(install());
});
addEventListener("activate", (event) => event.waitUntil(tidy()));
addEventListener("message", ({ data }) => data === "switch" && skipWaiting());
addEventListener("fetch", (event) => {
  const { method, url } = event.request;
  if (method === "POST" && url === HOME + "share") event.respondWith(share(event.request));
  if (method === "GET" && url.startsWith(HOME)) event.respondWith(answer(event));
});
