// The page's only script: it sends moves, and puts in place the parts that the server renders anew.
"use strict";

const RETRY = 1000; // milliseconds
const body = document.body;
const at = {
  repo: body.dataset.repo,
  number: Number(body.dataset.number),
  sha: body.dataset.sha,
  version: Number(body.dataset.version),
};
const shown = new Map(); // part -> HTML that stands there, once it came from the server
let listening = null; // the AbortController of the request that waits for news

const actor = () => document.querySelector("input[name=actor]:checked").value;
const find = (id) => document.getElementById(id);

// --- news ----------------------------------------------------------------------------------------

async function listen() {
  for (;;) {
    listening = new AbortController();
    try {
      const query = new URLSearchParams({
        repo: at.repo, number: at.number, sha: at.sha, version: at.version,
      });
      const answer = await fetch(`/play/live?${query}`, { signal: listening.signal });
      if (!answer.ok) throw new Error(String(answer.status));
      show(await answer.json());
      find("offline").hidden = true;
    } catch (error) {
      if (error.name !== "AbortError") {
        find("offline").hidden = false;
        await new Promise((done) => setTimeout(done, RETRY));
      }
    }
    if (document.hidden) {
      await new Promise((done) => {
        document.addEventListener("visibilitychange", done, { once: true });
      });
    }
  }
}

function show(news) {
  at.version = news.version;
  if (!at.number) at.number = news.number;
  body.classList.toggle("has-pull", at.number > 0);
  for (const [name, html] of Object.entries(news.parts)) {
    if (shown.get(name) !== html) replace(find(`part-${name}`), html);
    shown.set(name, html);
  }
  tellTimes();
}

function replace(part, html) {
  const check = part.querySelector(".check");
  const before = check?.dataset.said;
  const focus = part.contains(document.activeElement) ? document.activeElement.dataset.key : null;
  part.innerHTML = html; // rendered by the server, which escapes everything foreign
  if (focus) part.querySelector(`[data-key="${CSS.escape(focus)}"]`)?.focus();
  const now = part.querySelector(".check");
  if (before && now && now.dataset.said !== before) {
    now.classList.add("is-new");
    find("spoken").textContent = `senior-signoff: ${now.dataset.said}`;
  }
}

function tellTimes() {
  for (const time of document.querySelectorAll("time[datetime]")) {
    const moment = new Date(time.dateTime);
    time.textContent = moment.toLocaleTimeString([], { timeStyle: "medium" });
    time.title = moment.toLocaleString();
  }
}

// --- moves ---------------------------------------------------------------------------------------

async function move(name, fields, source) {
  source?.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch("/play/move", {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-Sandbox-Page": "1" },
      body: JSON.stringify({ actor: actor(), move: name, repo: at.repo, number: at.number, fields }),
    });
    const result = await answer.json();
    if (!answer.ok) {
      say(`GitHub refuses (${answer.status}): ${result.refused}`, "refused");
      return false;
    }
    say(result.said, "done");
    go(result.number);
    return true;
  } catch {
    say("The sandbox does not answer.", "refused");
    return false;
  } finally {
    source?.removeAttribute("aria-busy");
  }
}

function go(number) {
  if (!number) return;
  const address = `/${at.repo}/pull/${number}`;
  // The news may have shown the pull request before the answer came: the address still has to follow.
  const stands = location.pathname === address || location.pathname.startsWith(`${address}/`);
  if (number === at.number && stands) return;
  at.number = number;
  at.sha = "";
  history.pushState(null, "", address);
  anew();
}

function anew() {
  at.version = -1;
  listening?.abort();
}

let fading = 0;

function say(text, kind) {
  const box = find("said");
  box.querySelector("p").textContent = text;
  box.className = `said-box ${kind}`;
  box.hidden = false;
  clearTimeout(fading);
  if (kind === "done") fading = setTimeout(() => { box.hidden = true; }, 6000);
}

// --- what people press ---------------------------------------------------------------------------

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.dataset.opens) return open(button.dataset.opens);
  if ("closes" in button.dataset) return button.closest("dialog").close();
  if (button.closest("#said")) { find("said").hidden = true; return; }
  if (button.dataset.move && button.type === "button") {
    const { move: name, ...fields } = button.dataset;
    delete fields.key;
    move(name, fields, button);
  }
});

document.addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target;
  const button = event.submitter;
  const fields = Object.fromEntries(new FormData(form));
  if (await move(button?.dataset.move ?? form.dataset.move, fields, button)) {
    form.closest("dialog")?.close();
    form.reset();
  }
});

function open(id) {
  const dialog = find(id);
  if (id === "editing") {
    find("edit-title").value = find("description").dataset.title;
    find("edit-body").value = find("description").dataset.body;
  }
  dialog.showModal();
}

document.querySelector(".cast").addEventListener("change", () => {
  document.cookie = `actor=${actor()}; path=/; SameSite=Strict`;
  for (const name of [find("acting"), ...document.querySelectorAll(".acting")]) {
    name.textContent = actor();
  }
});

window.addEventListener("popstate", () => {
  at.number = Number(location.pathname.match(/\/pull\/(\d+)/)?.[1] ?? 0);
  at.sha = location.pathname.match(/\/commits\/([0-9a-f]+)/)?.[1] ?? "";
  anew();
});

tellTimes();
if (at.sha) find("selected")?.scrollIntoView({ block: "center" });
listen();
