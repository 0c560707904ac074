"""Make infogan_bench/drawing/glyphs: masks of the digits of 24 free fonts, and the list of their licences.

pip install fonttools
apt-get download fonts-cabin ...   # the packages of FONTS; then `dpkg -x FILE FOLDER/PACKAGE` for each
python tools/make_digits.py FOLDER
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from fontTools.ttLib import TTFont
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

FONTS = {  # package of Debian: file
    "fonts-bebas-neue": "BebasNeue-Bold.otf",
    "fonts-cabin": "Cabin-Bold.otf",
    "fonts-crosextra-caladea": "Caladea-Bold.ttf",
    "fonts-cantarell": "Cantarell-Bold.otf",
    "fonts-comfortaa": "Comfortaa-Bold.ttf",
    "fonts-comic-neue": "ComicNeue-Bold.otf",
    "fonts-courier-prime": "Courier Prime Bold.otf",
    "fonts-dosis": "Dosis-Bold.otf",
    "fonts-fantasque-sans": "FantasqueSansMono-Bold.ttf",
    "fonts-inter": "Inter-Black.otf",
    "fonts-kaushanscript": "KaushanScript-Regular.otf",
    "fonts-lato": "Lato-Heavy.ttf",
    "fonts-league-spartan": "LeagueSpartan-Bold.otf",
    "fonts-leckerli-one": "LeckerliOne-Regular.ttf",
    "fonts-liberation2": "LiberationSans-Bold.ttf",
    "fonts-lobster": "lobster.otf",
    "fonts-manrope": "Manrope-ExtraBold.ttf",
    "fonts-national-park": "NationalPark-Heavy.otf",
    "fonts-opendin": "OSP-DIN.ttf",
    "fonts-open-sans": "OpenSans-CondBold.ttf",
    "fonts-play": "Play-Bold.ttf",
    "fonts-quicksand": "Quicksand-Bold.ttf",
    "fonts-roboto-slab": "RobotoSlab-Bold.otf",
    "fonts-yanone-kaffeesatz": "YanoneKaffeesatz-Bold.otf",
}
APACHE = {
    "fonts-crosextra-caladea",
    "fonts-open-sans",
    "fonts-roboto-slab",
}  # all others: SIL Open Font License 1.1
NOTICES = {  # of files that have none of their own, by Debian's record
    "fonts-league-spartan": "2011-2020 Micah Rich, Caroline Hadilaksono, Tyler Finck",
    "fonts-national-park": "2018 Jeremy Shellhorn",
}
OUT = Path(__file__).parents[1] / "infogan_bench/drawing/glyphs"
SIDE, HEIGHT, WIDTH = 64, 54, 60  # pixels of a mask, and the most that a digit fills of it
OVERSAMPLED = 4


def masks(path: Path) -> NDArray[np.uint8]:
    """Return the digits of a font, (10, 64, 64), white on black, at one scale and on one baseline."""
    probe = ImageFont.truetype(str(path), 1000)
    boxes = np.array([probe.getbbox(str(digit), anchor="ls") for digit in range(10)])
    top, bottom = boxes[:, 1].min(), boxes[:, 3].max()
    width = (boxes[:, 2] - boxes[:, 0]).max()
    scale = min(HEIGHT / (bottom - top), WIDTH / width) * OVERSAMPLED
    font = ImageFont.truetype(str(path), 1000 * scale)
    found = []
    for digit in range(10):
        picture = Image.new("L", (SIDE * OVERSAMPLED,) * 2)
        x = SIDE * OVERSAMPLED / 2 - (boxes[digit, 0] + boxes[digit, 2]) / 2 * scale
        y = SIDE * OVERSAMPLED / 2 - (top + bottom) / 2 * scale
        ImageDraw.Draw(picture).text((x, y), str(digit), 255, font, anchor="ls")
        found.append(np.asarray(picture.resize((SIDE, SIDE), Image.Resampling.BOX)))
    return np.stack(found)


def main() -> None:
    """Write digits.npz and LICENCES.md."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="holds a folder of each unpacked package")
    folder = parser.parse_args().folder
    lines = [
        "# The digits of 24 fonts",
        "",
        "`digits.npz` has masks (24, 10, 64, 64) of the digits of these fonts, which `tools/make_digits.py` made of",
        "the files in Debian's packages. OFL-1.1 is the SIL Open Font License, https://openfontlicense.org;",
        "Apache-2.0 is the licence of this project. No font is changed, and no font's name stands for another thing.",
        "",
        "| number | font | copyright | licence | package |",
        "|---|---|---|---|---|",
    ]
    glyphs, names = [], []
    for package, file in FONTS.items():
        path = min((folder / package).rglob(file))
        table = TTFont(path)["name"]
        name, notice = (" ".join((table.getDebugName(key) or "").split()) for key in (1, 0))
        notice = NOTICES.get(package, notice)
        licence = "Apache-2.0" if package in APACHE else "OFL-1.1"
        lines.append(f"| {len(names)} | {name} | {notice[:160].replace('|', '/')} | {licence} | {package} |")
        glyphs.append(masks(path))
        names.append(name)
    np.savez_compressed(OUT / "digits.npz", masks=np.stack(glyphs), names=np.array(names))
    (OUT / "LICENCES.md").write_text("\n".join([*lines, ""]))
    print(f"{OUT / 'digits.npz'}: {len(names)} fonts, {(OUT / 'digits.npz').stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
