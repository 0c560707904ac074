"""Make infogan_bench/drawing/avatar_parts: layers of faces, rendered from the SVG parts of python-avatars (MIT).

    pip install python-avatars==1.4.1 resvg-py
    python tools/make_avatars.py

A part with a colour of its own is rendered twice, in black and in white. Since layers blend linearly, the difference is
how much of that colour each pixel has, and the black one is the rest.
"""

from __future__ import annotations

import io
import xml.etree.ElementTree as ElementTree
from importlib.metadata import distribution
from pathlib import Path

import numpy as np
import python_avatars as pa
import resvg_py
from numpy.typing import NDArray
from PIL import Image

OUT = Path(__file__).parents[1] / "infogan_bench/drawing/avatar_parts"
SIDE, OVERSAMPLED = 72, 4  # pixels of a layer; four more on each side than an image has, to move a face by
LEFT, TOP, WIDTH = 8.25, -5.75, 247.5  # the square of the drawing (264 x 280) that a layer shows

PARTS = {  # layer: argument of `Avatar`, the group it is drawn in, and its values in the order of the factor
    "skin": ("", "Body", ["body"]),
    "clothes": ("clothing", "Clothing", ["HOODIE", "SHIRT_CREW_NECK", "COLLAR_SWEATER", "BLAZER_SHIRT"]),
    "mouth": ("mouth", "Mouth", ["SMILE", "SAD", "SERIOUS", "SCREAM_OPEN", "TWINKLE", "GRIMACE"]),
    "nose": ("nose", "Nose", ["DEFAULT"]),
    "eyes": ("eyes", "Eyes", ["DEFAULT", "CLOSED", "HAPPY", "SIDE", "SURPRISED", "SQUINT"]),
    "brows": (
        "eyebrows",
        "Eyebrow",
        ["DEFAULT_NATURAL", "ANGRY_NATURAL", "RAISED_EXCITED_NATURAL", "SAD_CONCERNED_NATURAL"],
    ),
    "hair": (
        "top",
        "Top",
        ["NONE", "SHORT_FLAT", "SHORT_CURLY", "QUIFF", "BOB", "STRAIGHT_1", "FRO", "BUN", "MOHAWK", "WILD"],
    ),
    "beard": (
        "facial_hair",
        "Facial-Hair",
        ["NONE", "BEARD_LIGHT", "BEARD_MEDIUM", "BEARD_MAGESTIC", "MOUSTACHE_MAGNUM"],
    ),
    "glasses": ("accessory", "Accessory", ["NONE", "PRESCRIPTION_2", "ROUND", "WAYFARERS"]),
}  # fmt: skip
KINDS = {
    "clothing": pa.ClothingType, "mouth": pa.MouthType, "nose": pa.NoseType, "eyes": pa.EyeType,
    "eyebrows": pa.EyebrowType, "top": pa.HairType, "facial_hair": pa.FacialHairType, "accessory": pa.AccessoryType,
}  # fmt: skip
DRAWN = ("Mouth", "Nose", "Eyes", "Eyebrow", "Clothing", "Facial-Hair", "Accessory", "Body")


def rendered(argument: str, group: str, value: str, colour: str) -> NDArray[np.float64]:
    """Return one part alone, (72, 72, 4): red, green and blue times opacity, and opacity; 0 to 255."""
    parts = {name: kind["NONE"] if "NONE" in kind.__members__ else None for name, kind in KINDS.items()}
    parts["top"] = pa.HairType.BOB  # beards and glasses are drawn inside of hair, beside its group `Hair`
    if argument:
        parts[argument] = KINDS[argument][value]
    colours = {f"{name}_color": colour for name in ("skin", "hair", "facial_hair", "clothing")}
    tree = ElementTree.fromstring(pa.Avatar(style=pa.AvatarStyle.TRANSPARENT, **parts, **colours).render())  # noqa: S314
    unwanted = {*DRAWN, *(() if group == "Top" else ("Hair",))} - {group}
    for parent in list(tree.iter()):
        for child in list(parent):
            name = (child.get("id") or "").rpartition("_")[2]
            if name in unwanted:
                parent.remove(child)
    tree.attrib |= {"viewBox": f"{LEFT} {TOP} {WIDTH} {WIDTH}", "width": str(SIDE * OVERSAMPLED)}
    tree.attrib["height"] = str(SIDE * OVERSAMPLED)
    png = resvg_py.svg_to_bytes(svg_string=ElementTree.tostring(tree, encoding="unicode"))
    pixels = np.asarray(Image.open(io.BytesIO(png)).convert("RGBA"), dtype=np.float64)
    pixels[..., :3] *= pixels[..., 3:] / 255
    return pixels.reshape(SIDE, OVERSAMPLED, SIDE, OVERSAMPLED, 4).mean(axis=(1, 3))


def layer(argument: str, group: str, value: str) -> NDArray[np.uint8]:
    """Return a layer (5, 72, 72): red, green, blue, how much of the part's colour is added to each, and opacity."""
    if value == "NONE":
        return np.zeros((5, SIDE, SIDE), np.uint8)
    black, white = (rendered(argument, group, value, colour) for colour in ("#000000", "#FFFFFF"))
    added = (white - black)[..., :3].mean(axis=2, keepdims=True)
    stacked = np.concatenate([black[..., :3], added, black[..., 3:]], axis=2)
    return np.rint(stacked).clip(0, 255).astype(np.uint8).transpose(2, 0, 1)


def main() -> None:
    """Write parts.npz and LICENSE."""
    layers = {
        name: np.stack([layer(argument, group, value) for value in values])
        for name, (argument, group, values) in PARTS.items()
    }
    np.savez_compressed(OUT / "parts.npz", **layers)
    wheel = distribution("python_avatars")
    licence = next(file for file in wheel.files or () if file.name == "LICENSE")
    source = f"parts.npz is rendered by tools/make_avatars.py from the SVG parts of python-avatars {wheel.version}:\n\n"
    (OUT / "LICENSE").write_text(source + licence.read_text())
    print(f"{OUT / 'parts.npz'}: {(OUT / 'parts.npz').stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
