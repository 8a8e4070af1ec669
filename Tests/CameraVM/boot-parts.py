#!/usr/bin/env python3
"""Takes what the camera tests boot out of an unpacked Debian kernel package.

boot-parts.py PACKAGE KERNEL MODULES

KERNEL becomes the kernel itself, out of its compressed image: under emulation it boots in half the time, as nothing
unpacks it. MODULES gets the modules that the guest loads, and for each group a list of them in the order in which they
have to be loaded.
"""

import lzma
import pathlib
import re
import subprocess
import sys

GROUPS = {
    "files": ["virtio_pci", "9pnet_virtio", "9p"],
    "vivid": ["vivid"],
    "usb": ["vhci-hcd", "uvcvideo"],
}


def kernel_in(image: bytes) -> bytes:
    """The ELF file behind the first xz stream that holds one."""
    place = 0
    while (place := image.find(b"\xfd7zXZ\x00", place)) >= 0:
        try:
            content = lzma.LZMADecompressor().decompress(image[place:])
        except lzma.LZMAError:
            content = b""
        if content.startswith(b"\x7fELF"):
            return content
        place += 1
    sys.exit("no kernel in the image: its compression is not xz")


class Modules:
    def __init__(self, folder: pathlib.Path):
        self.files = {self.plain(file.stem): file for file in folder.rglob("*.ko")}
        built_in = (folder / "modules.builtin").read_text().split()
        self.built_in = {self.plain(pathlib.Path(line).stem) for line in built_in}

    @staticmethod
    def plain(name: str) -> str:
        return name.replace("-", "_")

    def needs(self, name: str) -> list[str]:
        found = re.search(rb"(?:^|\0)depends=([^\0]*)\0", self.files[name].read_bytes())
        return [part for part in (found.group(1).decode() if found else "").split(",") if part]

    def in_order(self, wanted: list[str]) -> list[str]:
        """The modules with all that they need, each behind what it needs."""
        order: list[str] = []

        def visit(name: str) -> None:
            name = self.plain(name)
            if name in order or (name not in self.files and name in self.built_in):
                return
            if name not in self.files:
                sys.exit(f"the kernel package has no module {name}")
            for need in self.needs(name):
                visit(need)
            order.append(name)

        for name in wanted:
            visit(name)
        return order


def main() -> None:
    package, kernel, target = map(pathlib.Path, sys.argv[1:])
    (image,) = (package / "boot").glob("vmlinuz-*")
    kernel.write_bytes(kernel_in(image.read_bytes()))
    (folder,) = (package / "lib/modules").iterdir()
    modules = Modules(folder)
    for group, wanted in GROUPS.items():
        order = modules.in_order(wanted)
        (target / f"{group}.list").write_text("".join(f"{name}\n" for name in order))
        for name in order:
            subprocess.run(["strip", "--strip-debug", "-o", target / f"{name}.ko", modules.files[name]], check=True)


main()
