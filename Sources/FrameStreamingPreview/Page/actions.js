"use strict";
// What a user does with a stream: by button, key and finger.

/** The stream that a key is for: the one that is large, has the focus, or is under the pointer. */
function current() {
    const { name } = place();
    if (name !== null) return tiles.get(name);
    if (tiles.size === 1) return [...tiles.values()][0];
    const element = document.activeElement?.closest(".tile") ?? document.querySelector(".tile:hover");
    return tiles.get(element?.dataset.stream);
}

/** Makes the link of a stream save the picture that is on the screen; without one it has the server's newest. */
function savePicture(tile) {
    const link = tile.snapshot, two = (number) => String(number).padStart(2, "0"), now = new Date();
    const day = [now.getFullYear(), two(now.getMonth() + 1), two(now.getDate())].join("-");
    const time = [now.getHours(), now.getMinutes(), now.getSeconds()].map(two).join("-");
    // No system's file names have these characters.
    link.download = `${tile.name.replace(/[/\\:*?"<>|.]/g, "-")} ${day} ${time}.jpg`;
    say(`Saving “${link.download}”`);
    if (!tile.shown) return;
    const picture = URL.createObjectURL(tile.shown.blob);
    link.href = picture;
    setTimeout(() => { link.href = `${tile.path}.jpg`; });
    setTimeout(() => URL.revokeObjectURL(picture), 30000);
}

async function copy(text) {
    let isCopied = false;
    try {
        // Exists on loopback and under HTTPS only.
        await navigator.clipboard.writeText(text);
        isCopied = true;
    } catch {
        const before = document.activeElement;
        const field = make("textarea", { value: text, readOnly: true, className: "unseen" });
        document.body.append(field);
        field.focus();
        field.select();
        isCopied = document.execCommand("copy");
        field.remove();
        before?.focus({ preventScroll: true });
    }
    say(isCopied ? `Copied ${text}` : `This browser does not copy: ${text}`);
}
document.querySelector(".command button").addEventListener("click", () => copy(document.querySelector(".command code").textContent));

/** Shows a sentence below each figure. */
function explainFigures() {
    const isOn = document.body.classList.toggle("explained");
    for (const { explain } of tiles.values()) {
        explain.textContent = isOn ? "Hide the explanations" : "Explain the figures";
        explain.ariaPressed = String(isOn);
    }
}

/** Moves the focus from tile to tile. Returns false where there is none in that direction. */
function moveFocus(by, isAlong = false) {
    const order = inOrder();
    const from = order.findIndex(({ element }) => element.contains(document.activeElement));
    // Up and down scroll the page until a tile has the focus; in a single column there is no other way to the first.
    if (from < 0 && isAlong && columns > 1) return false;
    const to = from < 0 ? 0 : from + by;
    order[to]?.link.focus();
    return to in order;
}
addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { name, full } = place();
    const isOne = name !== null;
    const acts = {
        // The browser itself leaves its full screen with Esc.
        Escape: () => { if (full) leaveFull(); else if (isOne) goBack(); else return false; },
        f: () => { const tile = current(); if (!tile || event.repeat) return false; toggleFull(tile.name); },
        s: () => { const tile = current(); if (!tile || event.repeat) return false; tile.snapshot.click(); },
        ArrowLeft: () => isOne ? step(-1) : moveFocus(-1),
        ArrowRight: () => isOne ? step(1) : moveFocus(1),
        ArrowUp: () => isOne ? false : moveFocus(-columns, true),
        ArrowDown: () => isOne ? false : moveFocus(columns, true),
    };
    const act = acts[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (act && act() !== false) event.preventDefault();
});

// A finger that wipes over a large stream goes to the next one.
let touched = null;
addEventListener("touchstart", ({ touches, target }) => {
    const isPicture = place().name !== null && target.closest?.(".picture") && touches.length === 1 && (visualViewport?.scale ?? 1) === 1;
    touched = isPicture ? touches[0] : null;
}, { passive: true });
addEventListener("touchend", ({ changedTouches: [end] }) => {
    if (!touched) return;
    const [across, along] = [end.clientX - touched.clientX, end.clientY - touched.clientY];
    touched = null;
    if (Math.abs(across) > 56 && Math.abs(across) > 2 * Math.abs(along)) step(across < 0 ? 1 : -1);
}, { passive: true });
// A touch elsewhere closes the actions of a tile.
addEventListener("pointerdown", ({ target }) => {
    for (const tile of tiles.values()) if (!tile.tools.contains(target)) tile.showTools(false);
});
