"use strict";
// Pictures: only visible streams are watched, and each picture is acknowledged.

const inView = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
        const tile = tiles.get(target.parentElement.dataset.stream);
        if (tile?.picture === target) tile.inView = isIntersecting;
    }
    watch();
}, { rootMargin: "80px" });
let watching = null;

function watch() {
    if (socket?.readyState !== WebSocket.OPEN) return;
    const names = [];
    for (const tile of tiles.values()) {
        const watched = !document.hidden && Boolean(tile.inView);
        if (watched && !tile.watched) tile.watchedAt = performance.now();
        tile.watched = watched;
        if (tile.watched) names.push(tile.name);
    }
    const message = JSON.stringify({ type: "watch", streams: names });
    if (message !== watching) socket.send(watching = message);
}
document.addEventListener("visibilitychange", () => {
    // A hidden page is not drawn, so waiting pictures are acknowledged.
    for (const tile of document.hidden ? tiles.values() : []) {
        if (tile.pending) discard(tile.pending);
        tile.pending = null;
    }
    if (!document.hidden && offline()) connect();
    watch();
});

let serial = 0;
function received(buffer, from) {
    const length = new DataView(buffer).getUint32(0);
    const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
    const blob = new Blob([new Uint8Array(buffer, 4 + length)], { type: "image/jpeg" });
    const picture = { header, from, blob, serial: serial += 1, arrived: performance.now() };
    const tile = tiles.get(header.stream);
    if (!tile || document.hidden) return discard(picture);
    tile.leftOut += header.skipped;
    createImageBitmap(blob).then(
        (bitmap) => tile.offer(Object.assign(picture, { bitmap })), () => { tile.undecodable += 1; discard(picture); });
}
/** Acknowledges a picture, exactly once: the server may send the next. */
function discard({ bitmap, header, from }) {
    bitmap?.close();
    if (from.readyState !== WebSocket.OPEN) return;
    const name = new TextEncoder().encode(header.stream);
    const message = new Uint8Array(8 + name.length);
    new DataView(message.buffer).setBigUint64(0, BigInt(header.sequence));
    message.set(name, 8);
    from.send(message);
}
let drawingAsked = false;
function requestDrawing() {
    if (drawingAsked) return;
    drawingAsked = true;
    requestAnimationFrame(() => {
        drawingAsked = false;
        for (const tile of tiles.values()) if (tile.pending) tile.paint();
    });
}
