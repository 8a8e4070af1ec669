"use strict";
// Where the user is: all streams, one of them large, or one that fills the screen. The place follows the #, so that it can be bookmarked
// and sent, and the browser's way back works.

const tiles = new Map();
const address = (name, full = false) => `#stream=${encodeURIComponent(name)}${full ? "&full" : ""}`;
function place() {
    const [, name, full] = /^#stream=([^&]*)(&full)?$/.exec(location.hash) ?? [];
    try { return name === undefined ? { name: null, full: false } : { name: decodeURIComponent(name), full: Boolean(full) }; } catch { return { name: null, full: false }; }
}
let shownBefore = place().name;
let cameFromAll = false;
let leaving = false;

function arrange() {
    const { name, full } = place();
    const changed = name !== shownBefore;
    document.body.classList.toggle("single", name !== null);
    document.body.classList.toggle("full", full && tiles.has(name));
    byId("way").hidden = name === null;
    byId("previous").hidden = byId("next").hidden = tiles.size < 2;
    const alone = name === null && tiles.size === 1;
    for (const tile of tiles.values()) {
        tile.element.classList.toggle("chosen", tile.name === name);
        tile.element.classList.toggle("large", (tile.name === name && !full) || alone);
        tile.element.classList.toggle("filling", tile.name === name && full);
        tile.link.ariaCurrent = tile.name === name ? "page" : null;
    }
    if (!full) {
        leaving = false;
        if (document.fullscreenElement) document.exitFullscreen().catch(() => {});
    }
    showEmpty(name);
    const order = offline() ? [] : ["live", "late", "silent", "waiting", "lost", "ended"];
    const now = [...tiles.values()].map((tile) => tile.grade);
    const summary = offline() ? "Not connected" : order.map((grade) => [now.filter((each) => each === grade).length, grade])
        .concat([[withoutPlace, "without a place so far"]]).filter(([number]) => number > 0).map((part) => part.join(" ")).join(", ");
    write(byId("summary"), summary);
    document.title = name ?? `Live streams${summary ? ` (${summary})` : ""}`;
    layOut();
    if (changed) {
        if (name === null || shownBefore === null) cameFromAll = name !== null;
        const focus = name !== null ? byId("back") : tiles.get(shownBefore)?.link;
        shownBefore = name;
        for (const tile of tiles.values()) tile.show();
        focus?.focus();
        if (name !== null) scrollTo(0, 0);
    }
    watch();
}

/** Without a stream: what makes one appear. */
function showEmpty(name) {
    const empty = byId("empty");
    empty.hidden = name === null ? tiles.size > 0 : tiles.has(name);
    if (empty.hidden || !listedOnce) return;
    const [title, text, command] = empty.children;
    write(title, name === null ? "No stream yet" : `No stream “${name}”`);
    write(text, name !== null ? "It shows here as soon as it is there."
        : invitation ? "A stream shows here as soon as a sender connects. To try it with a test pattern:" : "A stream shows here as soon as a sender connects.");
    command.hidden = name !== null || !invitation;
    if (invitation) write(command.firstChild, invitation);
}

function goBack() {
    if (cameFromAll) return history.back();
    history.pushState(null, "", location.pathname);
    arrange();
}
const byName = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });
const isBefore = (a, b) => (byName.compare(a, b) || (a < b ? -1 : 1)) < 0;
/** The tiles as they are on the page, by name. */
const inOrder = () => [...byId("streams").children].map((element) => tiles.get(element.dataset.stream));
function enter(tile) {
    const next = [...byId("streams").children].find((element) => isBefore(tile.name, element.dataset.stream));
    byId("streams").insertBefore(tile.element, next ?? null);
}
/** Goes from a large stream to one beside it. */
function step(by) {
    const order = inOrder(), { name, full } = place();
    if (order.length === 0) return;
    const index = order.findIndex((tile) => tile.name === name);
    const next = order[(index + by + order.length) % order.length];
    history.replaceState(history.state, "", address(next.name, full));
    arrange();
}

/** Fills the screen with a stream. A browser that cannot, as on an iPhone, fills its window. */
function toggleFull(name) {
    if (place().full) return leaveFull();
    history.pushState({ ours: true }, "", address(name, true));
    document.documentElement.requestFullscreen?.().catch(() => {});
    arrange();
}
function leaveFull() {
    if (!place().full || leaving) return;
    if (history.state?.ours) {
        leaving = true;
        return history.back();
    }
    history.replaceState(null, "", address(place().name));
    arrange();
}

addEventListener("hashchange", arrange);
addEventListener("popstate", arrange);
document.addEventListener("fullscreenchange", () => { if (!document.fullscreenElement) leaveFull(); });
byId("back").addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    goBack();
});
byId("previous").addEventListener("click", () => step(-1));
byId("next").addEventListener("click", () => step(1));
