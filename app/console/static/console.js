// Keys, what an edit changes, and whether the page is live. Every page works without this file.
"use strict";
(() => {
  const OFF = "deskgraph-keys-off";
  const $ = (selector) => document.querySelector(selector);
  const help = $("#keys");

  // A card counts as seen once its end, and everything above it, has been on the screen.
  const end = $("[data-end]");
  let seen = !end;
  let lowest = 0;
  function look() {
    if (seen) return;
    const bottom = window.scrollY + window.innerHeight;
    // A jump over more than a screen shows nothing of what lies between.
    if (window.scrollY <= lowest) lowest = Math.max(lowest, bottom);
    seen = lowest >= end.getBoundingClientRect().top + window.scrollY - 1;
  }
  addEventListener("scroll", look, { passive: true });
  addEventListener("resize", look);
  addEventListener("load", look);
  look();

  function say(text) {
    let box = $(".toast");
    if (!box) {
      box = document.createElement("p");
      box.className = "toast";
      box.setAttribute("role", "status");
      document.body.append(box);
    }
    box.textContent = text;
    clearTimeout(say.timer);
    say.timer = setTimeout(() => box.remove(), 4000);
  }

  // What acts on a card leads on to what was not on the screen yet, until all of it was.
  function whenSeen(act) {
    if (seen) return act();
    say("Read it to its end first.");
    window.scrollTo({ top: lowest - window.innerHeight * 0.2, behavior: "instant" });
    look();
  }

  function open(selector) {
    const found = $(selector);
    if (!found) return say("That is not offered to you here.");
    found.open = true;
    const field = found.querySelector("textarea, input:not([type=hidden]), button");
    if (field) field.focus();
  }

  function move(by) {
    const items = [...document.querySelectorAll("[data-item]")];
    if (!items.length) return window.scrollBy({ top: by * 120, behavior: "instant" });
    const at = items.indexOf(document.activeElement);
    const next = items[at < 0 ? (by > 0 ? 0 : items.length - 1) : at + by];
    if (next) next.focus();
  }

  function press(selector) {
    const button = $(selector);
    if (button) button.click();
  }

  const KEYS = {
    j: () => move(1),
    k: () => move(-1),
    a: () => $("[data-card]") && whenSeen(() => {
      const field = $("[data-approve]");
      if (!field) return say("You may not approve this; the reason stands beside it.");
      field.focus();
    }),
    e: () => $("[data-card]") && whenSeen(() => open("[data-edit]")),
    r: () => $("[data-card]") && whenSeen(() => open("[data-reject]")),
    c: () => press("[data-claim]"),
    s: () => press("[data-snooze]"),
    u: () => press("[data-back]"),
    "?": () => help && help.showModal(),
  };

  addEventListener("keydown", (event) => {
    const typing = event.target.closest("input:not([type=checkbox]), textarea, select, dialog");
    if (event.key === "Escape" && typing && !typing.closest("dialog")) return event.target.blur();
    const held = event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.isComposing;
    if (typing || held || event.defaultPrevented) return;
    const act = KEYS[event.key];
    if (!act || (localStorage.getItem(OFF) && event.key !== "?")) return;
    event.preventDefault();
    act();
  });

  const off = $("#keys-off");
  if (off) {
    off.checked = Boolean(localStorage.getItem(OFF));
    off.addEventListener("change", () => {
      if (off.checked) localStorage.setItem(OFF, "1");
      else localStorage.removeItem(OFF);
    });
    $(".keys-help").hidden = false;
    $("[data-help]").addEventListener("click", () => help.showModal());
  }

  // The difference that an edit makes, before it is sent.
  addEventListener("input", (event) => {
    const form = event.target.form;
    const list = form && form.querySelector(".difference");
    if (!list) return;
    list.replaceChildren(...[...form.elements].flatMap((field) => {
      const name = field.labels && field.labels[0] ? field.labels[0].textContent.split(",")[0].trim() : "";
      const legend = field.closest("fieldset") ? field.closest("fieldset").querySelector("legend").textContent : "";
      let text = "";
      if (field.type === "checkbox" && field.checked) text = `${legend}: left out`;
      else if (field.dataset.was !== undefined && field.value !== field.dataset.was) {
        text = field.tagName === "TEXTAREA" ? `${name} rewritten` : `${name}: ${field.dataset.was} → ${field.value}`;
      }
      if (!text) return [];
      const line = document.createElement("li");
      line.textContent = text;
      return [line];
    }));
    list.hidden = !list.children.length;
  });

  // One answer a page: a second click of the same button sends nothing.
  addEventListener("submit", (event) => {
    if (event.target.method !== "post") return;
    if (event.target.dataset.sent) return event.preventDefault();
    event.target.dataset.sent = "1";
  });
  addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach((form) => delete form.dataset.sent));

  const offline = $("#offline");
  if (offline) {
    document.body.addEventListener("htmx:sseError", () => { offline.hidden = false; });
    document.body.addEventListener("htmx:sseOpen", () => { offline.hidden = true; });
  }

  // A list that was renewed keeps the reader's place, also when the line is gone.
  let place = -1;
  document.body.addEventListener("htmx:beforeSwap", (event) => {
    if (event.target.id !== "list") return;
    place = [...document.querySelectorAll("[data-item]")].indexOf(document.activeElement);
  });
  document.body.addEventListener("htmx:afterSettle", () => {
    const items = document.querySelectorAll("[data-item]");
    if (place >= 0 && document.activeElement === document.body && items.length) items[Math.min(place, items.length - 1)].focus();
    place = -1;
  });

  const problem = $("#problem");
  if (problem) problem.focus();
})();
