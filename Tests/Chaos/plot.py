"""Lines over time as an SVG, with nothing but text."""

_WIDTH, _HEIGHT, _LEFT, _TOP, _GAP = 960, 170, 70, 34, 46
_COLORS = ("#1b6ca8", "#c8553d", "#2d8659", "#8a5aa8", "#b8860b", "#555555")


def _number(value):
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _panel(title, lines, marks, span, top):
    """One diagram: lines by their names, each a list of (seconds, value), from 0 upwards; marks are moments."""
    values = [value for points in lines.values() for _, value in points]
    most = max(values, default=1) * 1.1 or 1
    x = lambda seconds: _LEFT + seconds / span * (_WIDTH - _LEFT - 20)
    y = lambda value: top + _HEIGHT - value / most * _HEIGHT
    parts = [f'<text x="{_LEFT}" y="{top - 10}" font-weight="bold">{title}</text>']
    for step in range(5):
        value = most * step / 4
        parts.append(f'<path d="M{_LEFT} {y(value):.1f}H{_WIDTH - 20}" stroke="#ddd"/>'
                     f'<text x="{_LEFT - 8}" y="{y(value) + 4:.1f}" text-anchor="end">{_number(value)}</text>')
    parts += [f'<path d="M{x(mark):.1f} {top}v{_HEIGHT}" stroke="#f3c9a8" stroke-width="0.6"/>' for mark in marks]
    for index, (name, points) in enumerate(lines.items()):
        color = _COLORS[index % len(_COLORS)]
        # One point for each of at most 800 places.
        every = max(1, len(points) // 800)
        path = "L".join(f"{x(seconds):.1f} {y(value):.1f}" for seconds, value in points[::every])
        parts.append(f'<path d="M{path}" fill="none" stroke="{color}"/>' if path else "")
        parts.append(f'<text x="{_WIDTH - 20 - 110 * (len(lines) - index - 1)}" y="{top - 10}" text-anchor="end" fill="{color}">{name}</text>')
    return "\n".join(parts)


def write(path, heading, panels, marks, span):
    """panels are pairs of a title and lines."""
    height = _TOP + len(panels) * (_HEIGHT + _GAP) + 26
    with open(path, "w", encoding="utf-8") as file:
        file.write(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" font-family="sans-serif" font-size="12">\n'
                   f'<rect width="{_WIDTH}" height="{height}" fill="white"/>\n<text x="{_LEFT}" y="18">{heading}</text>\n')
        for index, (title, lines) in enumerate(panels):
            file.write(_panel(title, lines, marks, span, _TOP + 24 + index * (_HEIGHT + _GAP)) + "\n")
        for step in range(7):
            seconds, anchor = span * step / 6, "end" if step == 6 else "middle"
            file.write(f'<text x="{_LEFT + seconds / span * (_WIDTH - _LEFT - 20):.1f}" y="{height - 8}" text-anchor="{anchor}">'
                       f'{seconds / 60:.1f} min</text>\n')
        file.write("</svg>\n")
