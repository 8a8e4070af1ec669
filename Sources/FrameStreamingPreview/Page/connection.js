"use strict";
// The connection to the receiver: after a break it is opened again, with growing pauses.

let socket = null, heard = 0, listedOnce = false, withoutPlace = 0, failures = 0, retryAt = 0, trouble = "", wasOffline = false;
// The command that makes a stream appear; null = none is known.
let invitation = null;
const offline = () => socket?.readyState !== WebSocket.OPEN;

function connect() {
    if (socket && socket.readyState <= WebSocket.OPEN) return;
    retryAt = 0;
    const next = socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/api/live`);
    next.binaryType = "arraybuffer";
    next.onopen = () => { heard = performance.now(); };
    next.onmessage = ({ data }) => {
        if (socket !== next) return;
        heard = performance.now();
        if (typeof data === "string") listed(JSON.parse(data)); else received(data, next);
    };
    next.onclose = ({ code, reason }) => { if (socket === next) lostServer(code, reason); };
}
function lostServer(code, reason) {
    if (failures === 0 && tiles.size > 0) announce("The connection to the receiver is lost");
    wasOffline = true;
    watching = null;
    failures += 1;
    const pause = Math.min(10, 0.5 * 2 ** (failures - 1)) * (1 + Math.random() / 4);
    retryAt = performance.now() + 1000 * (code === 1013 ? Math.max(5, pause) : pause);
    if (code === 1013) trouble = `The receiver has too many viewers${reason ? `: ${reason}` : ""}.`;
    else if (reason) trouble = `The receiver ended the connection: ${reason}.`;
    else trouble = tiles.size > 0 ? "The connection to the receiver is lost. These are the last pictures." : "The receiver cannot be reached.";
    refresh();
    if (code === 1006) findOut();
}
/** Asks why, because a browser hides from its page which status refused a WebSocket. */
async function findOut() {
    const { status } = await fetch("/api/streams", { method: "HEAD" }).catch(() => ({}));
    if (!offline() || (status !== 401 && status !== 429)) return;
    trouble = status === 401 ? "The receiver does not let this page in any more. Load the page again to sign in." : "There were too many wrong tokens from here.";
    refresh();
}
const isLoopback = /^(localhost\.?|.*\.localhost\.?|127\.[\d.]+|\[::1\])$/i;
function listed({ type, streams, streams_refused: refused, invitation: invited }) {
    if (type !== "streams") return;
    if (wasOffline) announce("Connected again");
    failures = 0;
    wasOffline = false;
    listedOnce = true;
    withoutPlace = refused;
    // The name that leads this browser here leads a sender here too, unless it means every machine itself.
    const host = isLoopback.test(location.hostname) ? invited?.host ?? location.hostname : location.hostname;
    invitation = invited ? invited.command.replaceAll("{host}", () => host) : null;
    const names = new Set(streams.map((stream) => stream.name));
    for (const [name, tile] of tiles) {
        if (names.has(name)) continue;
        inView.unobserve(tile.picture);
        if (tile.pending) discard(tile.pending);
        tile.element.remove();
        tiles.delete(name);
    }
    for (const stream of streams) {
        let tile = tiles.get(stream.name);
        if (!tile) {
            tiles.set(stream.name, tile = new Tile(stream.name));
            enter(tile);
        }
        tile.update(stream);
    }
    refresh();
}
/** Updates what does not depend on the server. */
function refresh() {
    const broken = offline() && (retryAt > 0 || wasOffline);
    document.body.classList.toggle("offline", broken);
    byId("notice").hidden = !broken;
    const wait = Math.ceil(-seconds(retryAt));
    write(byId("notice").firstChild, broken ? `${trouble} ${retryAt > 0 && wait > 0 ? `Trying again in ${wait} s.` : "Trying again …"}` : "");
    arrange();
}
setInterval(() => {
    // A connection can die silently. A live server sends once a second.
    if (!offline() && seconds(heard) > 10) {
        const dead = socket;
        socket = null;
        dead.close();
        lostServer(0, "");
    }
    if (retryAt > 0 && performance.now() >= retryAt) connect();
    for (const tile of tiles.values()) if (offline() || tile.stream.state !== "live" || tile.silence > 3) tile.show();
    refresh();
}, 1000);
byId("notice").lastChild.addEventListener("click", () => { failures = 0; connect(); refresh(); });
addEventListener("online", () => connect());
arrange();
connect();
