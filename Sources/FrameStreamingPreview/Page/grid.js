"use strict";
// The grid of all streams: as many columns as make the pictures largest, so that all of them fit on the screen.

// What a tile has around its picture, and how high that is at most, in pixels: the border alone for a wall.
const details = { whole: 264, brief: 100, wall: 2 };
const smallest = { brief: 288, wall: 168 };
let columns = 1;
// What the user wants to see; null = as there is room.
let wantsFigures = null;
try { wantsFigures = { yes: true, no: false }[localStorage.getItem("figures")] ?? null; } catch { /* The browser keeps nothing. */ }

/** Width : height of most pictures. */
function usualRatio() {
    const ratios = [...tiles.values()].filter((tile) => tile.drawn > 0).map(({ canvas }) => canvas.width / canvas.height).sort((a, b) => a - b);
    return Math.min(2.4, Math.max(0.75, ratios[ratios.length >> 1] ?? 16 / 9));
}

/** The number of columns with the largest pictures, where `below` pixels are under each. */
function bestFit(number, width, height, gap, ratio, below) {
    let best = { picture: 0 };
    for (let columns = 1; columns <= number; columns += 1) {
        const rows = Math.ceil(number / columns);
        const cell = (width - gap * (columns - 1)) / columns;
        const row = (height - gap * (rows - 1)) / rows;
        const picture = Math.floor(Math.min(cell, (row - below) * ratio));
        // Hardly larger pictures are not worth a gap in the last row.
        if (picture > 1.02 * best.picture) best = { columns, picture, cell };
    }
    return best;
}

/** Chooses what a tile shows and how large it is. Where not all fit on the screen, the page scrolls. */
function chooseGrid(number, width, height, gap, ratio) {
    const fit = (level) => ({ level, ...bestFit(number, width, height, gap, ratio, details[level]) });
    const [whole, brief, wall] = [fit("whole"), fit("brief"), fit("wall")];
    const isNarrow = width < 600;
    const fits = (one, least, share) => one.picture >= least && one.picture >= share * wall.picture;
    let best = wall;
    // On a phone nothing that makes the pictures smaller is worth it.
    if (wantsFigures !== false && number <= 6 && fits(whole, 320, isNarrow ? 0.95 : 0.62)) best = whole;
    else if (wantsFigures !== false && fits(brief, smallest.brief, wantsFigures ? 0 : isNarrow ? 0.95 : 0.7)) best = brief;
    else if (wantsFigures) best = { level: "brief", picture: 0 };
    const least = Math.min(width, smallest[best.level] ?? 0);
    if (best.picture < least) {
        const columns = Math.max(1, Math.floor((width + gap) / (least + gap)));
        best = { ...best, columns, picture: Math.floor((width - gap * (columns - 1)) / columns) };
    }
    return best;
}

function layOut() {
    const list = byId("streams");
    const isGrid = place().name === null && tiles.size > 1;
    byId("figures").hidden = !isGrid;
    if (!isGrid) {
        list.className = "";
        columns = 1;
        return;
    }
    const ratio = usualRatio(), gap = parseFloat(getComputedStyle(list).columnGap) || 0;
    const height = innerHeight - (list.getBoundingClientRect().top + scrollY) - parseFloat(getComputedStyle(list.parentElement).paddingBottom);
    const best = chooseGrid(tiles.size, list.clientWidth, height, gap, ratio);
    columns = best.columns;
    list.style.setProperty("--columns", columns);
    list.style.setProperty("--tile", `${best.picture}px`);
    list.style.setProperty("--ratio", ratio);
    if (list.className === best.level) return;
    list.className = best.level;
    byId("figures").ariaPressed = String(best.level !== "wall");
    for (const tile of tiles.values()) tile.show();
}
byId("figures").addEventListener("click", () => {
    wantsFigures = byId("streams").className === "wall";
    try { localStorage.setItem("figures", wantsFigures ? "yes" : "no"); } catch { /* It holds until the page is left. */ }
    layOut();
});
addEventListener("resize", () => {
    layOut();
    tiles.forEach((tile) => tile.show());
});
