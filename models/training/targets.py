"""Labels -> what the heads should say: Gaussian heat-maps (CenterNet), regression values and where each of them counts."""
import math

import numpy as np

from model import BALL_PRIOR, BOX_STRIDE, KEY_POINT_STRIDE, KEY_POINTS, PERSON_PRIOR

REACH = 3  # cells around a centre that a Gaussian may touch
UNKNOWN = 0.99  # below the focal loss's positives, and its penalty there is (1 - 0.99)^4: nothing
OWNED = 0.25  # cells above this level of the Gaussian learn the object's box, the strongest object winning


def _stamp(heat, owner, x, y, spread_x, spread_y):
    """Draws one Gaussian; returns the window's slices, the mask of cells that this object owns, and the cells' x and y.
    None outside the map."""
    rows, columns = heat.shape
    column, row = int(round(x)), int(round(y))
    if not (0 <= column < columns and 0 <= row < rows):
        return None
    window = (slice(max(0, row - REACH), row + REACH + 1), slice(max(0, column - REACH), column + REACH + 1))
    xs = np.arange(columns)[window[1]][None]
    ys = np.arange(rows)[window[0]][:, None]
    # Centred on the cell, not on the sub-pixel centre: exactly one cell must reach 1, it is the focal loss's positive.
    bell = np.exp(-((xs - column) ** 2 / (2 * spread_x**2) + (ys - row) ** 2 / (2 * spread_y**2))).astype(np.float32)
    np.maximum(heat[window], bell, out=heat[window])
    owned = (bell > OWNED) & (bell > owner[window])
    owner[window][owned] = bell[owned]
    return window, owned, xs, ys


def box_targets(objects, height, width, ball_known=True):
    """Objects [(class, cx, cy, w, h)] in pixels -> heat [2, h, w], weight [2, h, w], box [8, h, w], role int64 [h, w]
    at stride 4; index 0 persons, 1 balls; box = log width, log height, x offset, y offset of each. Where the ball is not
    known to be absent, finding one is neither rewarded nor punished."""
    rows, columns = height // BOX_STRIDE, width // BOX_STRIDE
    heat, owner = np.zeros((2, rows, columns), np.float32), np.zeros((2, rows, columns), np.float32)
    box, role = np.zeros((8, rows, columns), np.float32), np.zeros((rows, columns), np.int64)
    for class_id, cx, cy, w, h in objects:
        kind = 1 if class_id == 0 else 0
        prior = BALL_PRIOR if kind else PERSON_PRIOR
        spread = (0.7, 0.7) if kind else (max(0.7, w / BOX_STRIDE * 0.2), max(0.8, h / BOX_STRIDE * 0.16))
        x, y = cx / BOX_STRIDE - 0.5, cy / BOX_STRIDE - 0.5
        stamped = _stamp(heat[kind], owner[kind], x, y, *spread)
        if stamped is None:
            continue
        window, owned, xs, ys = stamped
        values = (math.log(max(w, 1.0) / prior[0]), math.log(max(h, 1.0) / prior[1]), x - xs, y - ys)
        for channel, value in enumerate(values):
            box[4 * kind + channel][window][owned] = np.broadcast_to(value, owned.shape)[owned]
        if kind == 0:
            role[window][owned] = int(class_id) - 1
    if not ball_known:
        np.maximum(heat[1], UNKNOWN, out=heat[1])
    return heat, owner, box, role


def key_point_targets(points, height, width):
    """Points [32, 3] (x, y in pixels, visibility) -> heat [32, h, w], weight [h, w], offset [2, h, w] at stride 8."""
    rows, columns = height // KEY_POINT_STRIDE, width // KEY_POINT_STRIDE
    heat = np.zeros((KEY_POINTS, rows, columns), np.float32)
    owner, offset = np.zeros((rows, columns), np.float32), np.zeros((2, rows, columns), np.float32)
    for j, (px, py, visible) in enumerate(points):
        x, y = px / KEY_POINT_STRIDE - 0.5, py / KEY_POINT_STRIDE - 0.5
        stamped = _stamp(heat[j], owner, x, y, 0.9, 0.9) if visible > 0 else None
        if stamped is None:
            continue
        window, owned, xs, ys = stamped
        for channel, value in enumerate((x - xs, y - ys)):
            offset[channel][window][owned] = np.broadcast_to(value, owned.shape)[owned]
    return heat, owner, offset
