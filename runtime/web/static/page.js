// Live updates, keys and copying. The page works without all of it.
"use strict";
(() => {
  const body = document.body;
  body.classList.add("script");

  // The state of the stream, in the head of the page.
  const say = (state, text) => {
    const line = document.getElementById("live");
    if (line.dataset.state === state && line.textContent === text) return;
    line.dataset.state = state;
    line.textContent = text;
  };

  // An offer is a button for what would move the page under its reader.
  const offer = (text, accept) => {
    let button = document.getElementById("offer");
    if (!button) {
      button = document.createElement("button");
      button.id = "offer";
      document.getElementById("live").after(button);
    }
    button.textContent = text;
    button.onclick = () => { button.remove(); accept(); };
  };

  const brought = node => document.importNode(node, true);
  const refreshed = node => { node.classList.add("fresh"); return node; };
  const head = part => part.closest("table").tHead.textContent;

  // patchRow brings a row up to date cell by cell, so that its place and its focus stay.
  const patchRow = (old, now) => {
    old.className = now.className;
    [...now.cells].forEach((cell, i) => {
      const before = old.cells[i].cloneNode(true);
      before.classList.remove("fresh");
      if (!before.classList.length) before.removeAttribute("class");
      if (before.outerHTML !== cell.outerHTML) old.cells[i].replaceWith(refreshed(brought(cell)));
    });
  };

  // isRead reports whether somebody reads a table: what is new then waits.
  const isRead = part => {
    const chosen = getSelection();
    return part.matches(":hover") || part.contains(document.activeElement) || part.getBoundingClientRect().top < 0 ||
      !chosen.isCollapsed && part.contains(chosen.anchorNode);
  };

  // hold does something and keeps what is read where it is: the row with the focus or under the pointer, else the first one
  // that is visible. Columns do not become narrower.
  const hold = change => {
    for (const column of document.querySelectorAll("[data-patch=rows]")) freeze(column.closest("table"));
    const row = document.activeElement.closest("tbody tr") ?? document.querySelector("tbody tr:hover") ??
      [...document.querySelectorAll("tbody tr")].find(row => row.getBoundingClientRect().top > header.offsetHeight);
    const top = row?.getBoundingClientRect().top;
    change();
    if (row?.isConnected && !row.closest("#log")) scrollBy(0, row.getBoundingClientRect().top - top);
  };
  const header = document.querySelector("header");
  const freeze = table => {
    const columns = [...table.tHead.rows[0].cells], widths = columns.map(column => column.getBoundingClientRect().width);
    columns.forEach((column, i) => { column.style.minWidth = widths[i] + "px"; });
  };
  addEventListener("resize", () => { for (const column of document.querySelectorAll("thead th")) column.style.minWidth = ""; });

  const patches = {
    text(old, now) {
      const used = old.contains(document.activeElement) || [...old.querySelectorAll("input:not([type=hidden])")].some(field => field.value);
      if (old.innerHTML !== now.innerHTML && !used) old.replaceChildren(...brought(now).childNodes);
    },
    rows(old, now) {
      let changed = head(old) !== head(now);
      if (!changed) {
        for (const row of now.rows) {
          const same = document.getElementById(row.id);
          if (same) patchRow(same, row); else changed = true;
        }
        for (const row of old.rows) {
          const stays = now.querySelector("#" + CSS.escape(row.id));
          if (!stays) { row.classList.add("gone"); changed = true; }
        }
      }
      if (changed) offer("The list has changed: load it anew", () => location.reload());
    },
    log(old, now) {
      const fresh = [...now.rows].filter(row => !document.getElementById(row.id));
      if (!fresh.length) return;
      const insert = () => {
        old.prepend(...fresh.filter(row => !document.getElementById(row.id)).map(row => refreshed(brought(row))));
        old.closest("section").querySelector("p.empty")?.remove();
      };
      if (isRead(old)) offer(fresh.length + " new", insert); else insert();
    },
  };

  // refresh reads the page again and changes what has changed in place. It runs twice a second at most. Of the fleet it
  // reads the hosts, and then all of it, less often if that takes long. What happens while it reads needs another turn.
  let last = 0, timer, slow = 0, wholeTimer, loading = false, again = false;
  const refresh = () => {
    if (loading) { again = true; return; }
    timer ??= setTimeout(async () => {
      timer = undefined;
      loading = true;
      last = Date.now();
      const whole = !document.getElementById("groups");
      await load(whole);
      loading = false;
      if (!whole) wholeTimer ??= setTimeout(loadWhole, slow);
      if (again) { again = false; refresh(); }
    }, Math.max(40, last + 500 - Date.now()));
  };
  const loadWhole = async () => {
    wholeTimer = undefined; // what happens from now on needs another turn
    const began = Date.now();
    await load(true);
    slow = 4 * (Date.now() - began);
  };
  const load = async whole => {
    try {
      const here = new URL(location); // with the columns that it has, so that they stay
      if (!whole) here.searchParams.set("part", "hosts");
      for (const column of document.querySelectorAll("#hosts-title ~ .scroll th[data-ref]")) here.searchParams.append("show", column.dataset.ref);
      const got = await fetch(here, {headers: {Accept: "text/html"}, cache: "no-store"});
      if (got.status === 401) { stop(); return say("late", "signed out: load the page anew"); }
      if (!got.ok) throw got.status;
      const now = new DOMParser().parseFromString(await got.text(), "text/html");
      hold(() => {
        for (const old of document.querySelectorAll("[data-patch]")) {
          const part = now.getElementById(old.id);
          if (part) patches[old.dataset.patch](old, part); else if (whole) offer("The page has changed: load it anew", () => location.reload());
        }
      });
      if (!document.querySelector("[data-patch]") && now.querySelector("[data-patch]")) location.reload(); // it was empty
      if (follows) say("live", "live");
    } catch {
      say("late", "the server does not answer, trying again");
      setTimeout(refresh, 2000);
    }
  };

  // One visible tab holds the stream for all tabs of this browser: HTTP/1.1 has few connections.
  const address = body.dataset.live && new URL(body.dataset.live, location).href;
  const others = address && "BroadcastChannel" in self ? new BroadcastChannel(address) : undefined;
  let source, release, waiting, later, follows = false;
  const hear = kind => {
    if (document.hidden || !follows) return;
    if (kind === "late") return say("late", "no stream, trying again");
    say("live", "live");
    refresh(); // also at the beginning of a stream, for what happened since the page was made
    clearTimeout(later); // what is undone at once, the server may not have seen
    later = setTimeout(refresh, 1500);
  };
  const tell = kind => { hear(kind); others?.postMessage(kind); };
  if (others) others.onmessage = e => { if (e.data !== "who") hear(e.data); else if (source?.readyState === 1) others.postMessage("begin"); };
  const open = () => {
    source = new EventSource(address);
    for (const kind of ["begin", "change", "status", "reset"]) source.addEventListener(kind, () => tell(kind));
    source.onerror = () => {
      tell("late");
      if (source?.readyState !== 2) return; // it connects again by itself
      source = undefined;
      setTimeout(() => { if (follows && !source) open(); }, 2000);
    };
  };
  const start = () => {
    if (!address || document.hidden || follows) return;
    follows = true;
    if (!others || !navigator.locks) return open();
    waiting = new AbortController();
    others.postMessage("who");
    navigator.locks.request(address, {signal: waiting.signal}, () => {
      if (!follows) return;
      open();
      return new Promise(done => { release = done; });
    }).catch(() => {});
  };
  const stop = () => {
    follows = false;
    waiting?.abort();
    source?.close();
    release?.();
    source = release = waiting = undefined;
  };
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return stop();
    start();
    if (address) refresh();
  });
  addEventListener("pagehide", stop);
  addEventListener("pageshow", e => { if (e.persisted) { start(); refresh(); } });
  setInterval(() => { if (follows) refresh(); }, 60000); // the ages of heartbeats
  start();

  // Keys.
  const keys = document.getElementById("keys"), on = document.getElementById("keys-on");
  keys.hidden = false;
  on.checked = localStorage.getItem("attune-keys") !== "off";
  on.onchange = () => localStorage.setItem("attune-keys", on.checked ? "on" : "off");
  let before = "";
  const move = by => {
    const items = [...document.querySelectorAll("[data-item]")], at = items.indexOf(document.activeElement);
    items[at < 0 ? 0 : Math.min(Math.max(at + by, 0), items.length - 1)]?.focus();
  };
  const does = {
    "/": () => document.getElementById("q")?.select(),
    j: () => move(1),
    k: () => move(-1),
    n: () => document.getElementById("offer")?.click(),
    "?": () => { keys.open = !keys.open; keys.scrollIntoView(); keys.firstElementChild.focus(); },
  };
  addEventListener("keydown", e => {
    if (e.key === "Escape" && e.target.matches("input")) e.target.blur();
    if (!on.checked || e.ctrlKey || e.metaKey || e.altKey || e.target.matches("input:not([type=checkbox]), select, textarea")) return;
    const leads = before === "g" && document.querySelector(`nav [data-key="${CSS.escape(e.key)}"]`);
    before = e.key;
    if (leads) leads.click(); else if (does[e.key]) does[e.key](); else return;
    e.preventDefault();
  });

  // Copying.
  for (const button of document.querySelectorAll(".copy")) {
    button.hidden = false;
    button.onclick = async () => {
      const text = document.getElementById(button.dataset.copy);
      try {
        await navigator.clipboard.writeText(text.textContent);
        button.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(text);
        button.textContent = "Selected";
      }
      setTimeout(() => { button.textContent = "Copy"; }, 1500);
    };
  }

  // A cell of the matrix leads to the evidence of its runtime on its host.
  document.getElementById("hosts")?.addEventListener("click", e => {
    const cell = e.target.closest("td"), ref = cell?.closest("table").tHead.rows[0].cells[cell.cellIndex].dataset.ref;
    if (ref && getSelection().isCollapsed) location.href = cell.parentNode.querySelector("a").href + "?runtime=" + encodeURIComponent(ref) + "#evidence";
  });
})();
