"""Changes to a picture that a label survives. All pictures uint8 [H, W, 3] RGB; all randomness from the given generator."""
import math

import cv2
import numpy as np

GOALKEEPER, REFEREE = 1, 3
# How often a new shirt is black: referees wear it more than any other colour, and the labelled matches show few of them.
BLACK = {GOALKEEPER: 0.1, REFEREE: 0.35}
LEVELS = np.arange(256)
TURF_HUE = (28, 92)  # OpenCV hue 0..179; grass of every training match lies inside


def random_affine(rng, source_size, size, zoom):
    """3x3 matrix from source pixels to a randomly scaled, shifted, turned, sheared and mirrored view of `size`
    (width, height), and whether it is mirrored. `zoom` = (smallest, largest) scale."""
    (source_width, source_height), (width, height) = source_size, size
    scale = math.exp(rng.uniform(*np.log(zoom))) if rng.random() < 0.85 else 1.0
    scale_x = scale * width / source_width
    scale_y = scale * height / source_height * math.exp(rng.normal(0, 0.03))
    turn = math.radians(rng.normal(0, 1.5)) if rng.random() < 0.5 else 0.0
    shear = rng.normal(0, 0.03) if rng.random() < 0.3 else 0.0
    rotation = np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    linear = rotation @ np.array([[scale_x, shear * scale_x], [0, scale_y]])
    centre = linear @ [source_width / 2, source_height / 2]
    play = (abs(scale - 1) / 2 + 0.06) * np.array([width, height])
    matrix = np.eye(3)
    matrix[:2, :2] = linear
    matrix[:2, 2] = np.array([width, height]) / 2 - centre + rng.uniform(-play, play)
    mirrored = rng.random() < 0.5
    if mirrored:
        matrix = np.array([[-1, 0, width - 1], [0, 1, 0], [0, 0, 1.0]]) @ matrix
    return matrix, mirrored


def warp(rng, picture, matrix, size):
    border = tuple(int(value) for value in rng.integers(0, 160, 3))
    return cv2.warpAffine(picture, matrix[:2], size, flags=cv2.INTER_LINEAR, borderValue=border)


def move_points(points, matrix):
    """Pixel-edge coordinates [n, 2] through a matrix that maps pixel centres."""
    return np.c_[points - 0.5, np.ones(len(points))] @ matrix[:2].T + 0.5


def move_objects(objects, matrix, source_size, area, origin=(0, 0)):
    """Normalised [(class, cx, cy, w, h)] -> pixels of `area` (width, height) at `origin`, clipped as annotators clip;
    what keeps less than 35 % of a side is dropped."""
    moved = []
    stretch = np.hypot(matrix[0, :2], matrix[1, :2])
    for class_id, cx, cy, w, h in objects:
        x, y = move_points(np.array([[cx, cy]]) * source_size, matrix)[0] - origin
        width, height = w * source_size[0] * stretch[0], h * source_size[1] * stretch[1]
        x0, x1 = np.clip([x - width / 2, x + width / 2], 0, area[0])
        y0, y1 = np.clip([y - height / 2, y + height / 2], 0, area[1])
        if x1 - x0 >= 0.35 * width and y1 - y0 >= 0.35 * height:
            moved.append((int(class_id), (x0 + x1) / 2, (y0 + y1) / 2, x1 - x0, y1 - y0))
    return moved


def paste_ball(rng, picture, objects, ball, scale):
    """Puts another frame's ball (patch, centre, size) on the grass: there is one ball a frame at most, and often none."""
    patch, centre, size = ball
    factor = scale * rng.uniform(0.8, 1.25)
    patch = cv2.resize(patch, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    rows, columns = patch.shape[:2]
    centre, size = np.multiply(centre, factor), np.multiply(size, factor)
    top, left = rng.integers(0, picture.shape[0] - rows), rng.integers(0, picture.shape[1] - columns)
    under = picture[top:top + rows, left:left + columns]
    hue, saturation, _ = cv2.cvtColor(under.mean((0, 1), keepdims=True).astype(np.uint8), cv2.COLOR_RGB2HSV)[0, 0]
    if not (TURF_HUE[0] <= hue <= TURF_HUE[1] and saturation > 40):
        return
    x, y = (np.arange(columns) + 0.5 - centre[0]) / size[0], (np.arange(rows) + 0.5 - centre[1]) / size[1]
    alpha = np.clip((0.65 - np.hypot(x[None], y[:, None])) / 0.2, 0, 1)[..., None]
    under[:] = (patch * alpha + under * (1 - alpha)).astype(np.uint8)
    objects.append((0, left + centre[0], top + centre[1], size[0], size[1]))


def recolour_role(rng, hsv, objects, role):
    """Gives everyone of a role one new shirt: kits belong to a match, and a dozen matches do not show enough of them."""
    hue, saturation, gain = rng.integers(0, 180), rng.uniform(0, 230), math.exp(rng.uniform(-0.7, 0.7))
    if rng.random() < BLACK[role]:
        saturation, gain = rng.uniform(0, 50), rng.uniform(0.12, 0.4)
    for class_id, cx, cy, w, h in objects:
        if class_id != role:
            continue
        x0, x1, y0, y1 = (max(0, int(v)) for v in (cx - w / 2, cx + w / 2 + 1, cy - 0.38 * h, cy + 0.12 * h))
        shirt = hsv[y0:y1, x0:x1]
        cloth = (shirt[..., 0] < TURF_HUE[0]) | (shirt[..., 0] > TURF_HUE[1]) | (shirt[..., 1] < 50)
        shirt[..., 0][cloth] = hue
        shirt[..., 1][cloth] = np.clip(shirt[..., 1][cloth] * 0.3 + saturation, 0, 255)
        shirt[..., 2][cloth] = np.clip(shirt[..., 2][cloth] * gain, 0, 255)


def shift_colours(rng, hsv, new_kits):
    """Light, saturation and hue of the whole picture; with `new_kits` everything but grass turns round the colour circle,
    so that roles stay as different as they were but no absolute colour can be learnt by heart."""
    drift = rng.normal(0, 5) if rng.random() < 0.8 else rng.uniform(-22, 22)
    hue = LEVELS + drift
    if new_kits:
        grass = (LEVELS >= TURF_HUE[0]) & (LEVELS <= TURF_HUE[1])
        hue = np.where(grass, hue, hue + rng.uniform(-90, 90))
    gain, contrast, gamma = rng.uniform(0.6, 1.35), rng.uniform(0.6, 1.4), math.exp(rng.normal(0, 0.18))
    value = np.clip((LEVELS / 255.0) ** gamma * 255 * contrast, 0, 255)
    for channel, table in enumerate((hue % 180, np.clip(LEVELS * gain, 0, 255), value)):
        hsv[..., channel] = cv2.LUT(hsv[..., channel], table.astype(np.uint8))


def jpeg(picture, quality):
    encoded = cv2.imencode('.jpg', picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, int(quality)])[1]
    return np.ascontiguousarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR)[..., ::-1])


def degrade(rng, picture):
    """Low-quality footage: a small picture, hard compression, enlarged again; blur; noise."""
    height, width = picture.shape[:2]
    if rng.random() < 0.25:
        scale = rng.uniform(0.45, 0.85)
        small = cv2.resize(picture, (int(width * scale), int(height * scale)), interpolation=cv2.INTER_AREA)
        picture = cv2.resize(jpeg(small, rng.uniform(25, 75)), (width, height), interpolation=cv2.INTER_LINEAR)
    chance = rng.random()
    if chance < 0.15:
        picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.3, 0.9))
    elif chance < 0.3:
        picture = jpeg(picture, rng.uniform(35, 85))
    if rng.random() < 0.1:
        noise = rng.normal(0, 4, picture.shape).astype(np.float32)
        picture = cv2.add(picture, noise, dtype=cv2.CV_8U)
    return picture


def restyle(rng, picture, objects=()):
    """All changes that leave the geometry alone."""
    if rng.random() < 0.85:
        hsv = cv2.cvtColor(picture, cv2.COLOR_RGB2HSV)
        for role in (GOALKEEPER, REFEREE):
            if objects and rng.random() < 0.2:
                recolour_role(rng, hsv, objects, role)
        shift_colours(rng, hsv, new_kits=rng.random() < 0.35)
        picture = cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)
    return degrade(rng, picture)
