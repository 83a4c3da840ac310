"""Renders pitches with exact key points: cheap geometry that the few labelled frames do not cover.

    python3 synthesise.py --count 1500 --seed 1 --out /tmp/train/synthetic

Writes `frames.npy` uint8 [count, 448, 768, 3] RGB and `points.npy` float32 [count, 32, 3] (x, y in pixels, visibility).
People and boards are crude on purpose: they only have to hide and distract; boxes are learnt from real frames alone.
"""
import argparse
from pathlib import Path

import cv2
import numpy as np

import pitch

WIDTH, HEIGHT = 768, 448
TEXTURE_PX_PER_M = 6
LINES = [np.c_[line, np.zeros(len(line))] for line in pitch.painted_lines()]


def any_colour(rng):
    return tuple(int(value) for value in rng.integers(0, 255, 3))


def random_camera(rng):
    """3x4 projection of a main-stand camera. The pitch's axes are left-handed (see pitch.py), hence the order of the cross
    products: the right-handed order renders the picture mirrored."""
    position = np.array([52.5 + rng.normal(0, 5), 68 + rng.uniform(22, 70), rng.uniform(12, 34)])
    target = np.array([rng.uniform(6, 99), rng.uniform(24, 50), 0.0])
    forward = target - position
    distance = np.linalg.norm(forward)
    forward /= distance
    right = np.cross([0, 0, 1.0], forward)
    right /= np.linalg.norm(right)
    up = np.cross(forward, right)
    roll = np.deg2rad(rng.normal(0, 0.8))
    right, up = right * np.cos(roll) + up * np.sin(roll), up * np.cos(roll) - right * np.sin(roll)
    focal = WIDTH * distance / rng.uniform(38, 105)  # that many metres fill the picture's width at the target
    # 16:9 broadcast squeezed into 768x448, as the shipped input is.
    intrinsic = np.array([[focal, 0, WIDTH / 2], [0, focal * HEIGHT / 432.0, HEIGHT / 2], [0, 0, 1]])
    rotation = np.stack([right, -up, forward])
    return intrinsic @ np.hstack([rotation, -(rotation @ position)[:, None]])


def project(camera, points):
    """Metres [n, 2 or 3] -> pixels [n, 2], depths [n]."""
    points = np.atleast_2d(np.asarray(points, np.float64))
    if points.shape[1] == 2:
        points = np.c_[points, np.zeros(len(points))]
    image = np.c_[points, np.ones(len(points))] @ camera.T
    return image[:, :2] / np.maximum(image[:, 2:], 1e-6), image[:, 2]


def view(rng):
    """A camera that sees at least four key points (best effort), those points and their visibility."""
    for _ in range(50):
        camera = random_camera(rng)
        points, depth = project(camera, pitch.key_points())
        inside = (points > 2).all(1) & (points[:, 0] < WIDTH - 3) & (points[:, 1] < HEIGHT - 3)
        visible = (depth > 1) & inside
        if visible.sum() >= 4:
            break
    return camera, points, visible


def paint_turf(rng, camera):
    """Striped, stained grass in perspective and the crowd around it."""
    scale = TEXTURE_PX_PER_M
    width, height = int(145 * scale), int((75 + rng.uniform(0, 14)) * scale)
    stripe, phase = rng.choice([5.0, 5.5, 6.0, 8.3]), rng.uniform(0, 10)
    across = ((np.arange(width) / scale + phase) / stripe).astype(int) % 2
    pattern = np.where(across[None] == 0, 1.0, -1.0) * np.ones((height, 1))
    if rng.random() < 0.35:
        along = ((np.arange(height) / scale + phase) / stripe).astype(int) % 2
        pattern = 0.6 * (pattern + np.where(along[:, None] == 0, 1.0, -1.0))
    stains = rng.normal(0, 1, (height // 24, width // 24)).astype(np.float32)
    stains = cv2.resize(stains, (width, height), interpolation=cv2.INTER_CUBIC)
    grain = rng.normal(0, rng.uniform(1, 6), (height, width))
    turf = np.empty((height, width, 3), np.float32)
    turf[..., 0] = rng.uniform(32, 55) + stains * 1.5
    turf[..., 1] = rng.uniform(80, 200) + stains * 6
    turf[..., 2] = rng.uniform(60, 170) + pattern * rng.uniform(0, 11) + stains * 5 + grain
    turf = cv2.cvtColor(np.clip(turf, 0, 255).astype(np.uint8), cv2.COLOR_HSV2RGB)
    to_metres = np.array([[1 / scale, 0, -20], [0, 1 / scale, -2 - rng.uniform(0, 6)], [0, 0, 1]])
    transform = camera[:, [0, 1, 3]] @ to_metres
    picture = cv2.warpPerspective(turf, transform, (WIDTH, HEIGHT))
    grass = cv2.warpPerspective(np.full((height, width), 255, np.uint8), transform, (WIDTH, HEIGHT))
    picture[grass == 0] = paint_crowd(rng)[grass == 0]
    return picture


def paint_crowd(rng):
    grain = rng.integers(3, 9)
    crowd = rng.integers(0, 255, (HEIGHT // grain + 1, WIDTH // grain + 1, 3)).astype(np.uint8)
    crowd = cv2.resize(crowd, (WIDTH, HEIGHT), interpolation=int(rng.choice([cv2.INTER_NEAREST, cv2.INTER_LINEAR])))
    return (crowd * rng.uniform(0.2, 0.8) + rng.uniform(0, 90) * rng.random(3)).clip(0, 255).astype(np.uint8)


def paint_boards(rng, camera, picture):
    """Advertising: straight coloured edges that are not pitch lines."""
    def board(start, end):
        corners = [(*start, 0), (*end, 0), (*end, 1.0), (*start, 1.0)]
        image, depth = project(camera, corners)
        if (depth > 1).all():
            cv2.fillConvexPoly(picture, np.clip(image, -4000, 4000).astype(np.int32), any_colour(rng), cv2.LINE_AA)

    x, y = -20.0, -rng.uniform(2, 5)
    while x < pitch.LENGTH + 20:
        width = rng.uniform(4, 20)
        board((x, y), (x + width, y))
        x += width
    for x in (-rng.uniform(3, 7), pitch.LENGTH + rng.uniform(3, 7)):
        y = -4.0
        while y < pitch.WIDTH + 4:
            width = rng.uniform(4, 15)
            board((x, y), (x, y + width))
            y += width


def pixels_per_metre(camera, depth):
    return np.linalg.norm(camera[0, :2]) / max(depth, 1)


def paint_lines(rng, camera, picture):
    white = int(rng.uniform(150, 255))
    colour = (white, white, white - int(rng.integers(0, 20)))
    painted = picture.copy()
    for line in LINES:
        image, depth = project(camera, line)
        for i in range(len(image) - 1):
            near = (image[i] > -300).all() and image[i, 0] < WIDTH + 300 and image[i, 1] < HEIGHT + 300
            if depth[i] < 1 or depth[i + 1] < 1 or not near:
                continue
            thickness = 0.12 * pixels_per_metre(camera, depth[i]) * rng.uniform(0.9, 1.1) + 0.3
            ends = [tuple(int(value) for value in point * 16) for point in image[i:i + 2]]
            cv2.line(painted, *ends, colour, max(1, round(thickness)), cv2.LINE_AA, 4)
    for spot in ((pitch.PENALTY_SPOT, pitch.WIDTH / 2), (pitch.LENGTH - pitch.PENALTY_SPOT, pitch.WIDTH / 2)):
        image, depth = project(camera, spot)
        if depth[0] > 1 and (np.abs(image[0]) < 2000).all():
            radius = max(8, int(0.15 * pixels_per_metre(camera, depth[0]) * 16))
            cv2.circle(painted, tuple(int(value) for value in image[0] * 16), radius, colour, -1, cv2.LINE_AA, 4)
    opacity = rng.uniform(0.45, 1.0)
    return cv2.addWeighted(painted, opacity, picture, 1 - opacity, 0)


def paint_goals(camera, picture):
    y0, y1, top = (pitch.WIDTH - pitch.GOAL_WIDTH) / 2, (pitch.WIDTH + pitch.GOAL_WIDTH) / 2, pitch.GOAL_HEIGHT
    for x, outward in ((0.0, -1), (pitch.LENGTH, 1)):
        frame, depth = project(camera, [(x, y0, 0), (x, y0, top), (x, y1, top), (x, y1, 0)])
        if not ((depth > 1).all() and (np.abs(frame) < 3000).all()):
            continue
        net, _ = project(camera, [(x, y0, top), (x, y1, top), (x + outward * 2, y1, 0), (x + outward * 2, y0, 0)])
        veil = cv2.fillConvexPoly(picture.copy(), net.astype(np.int32), (200, 200, 200))
        picture = cv2.addWeighted(veil, 0.35, picture, 0.65, 0)
        cv2.polylines(picture, [(frame * 16).astype(np.int32)], False, (245, 245, 245), 2, cv2.LINE_AA, 4)
    return picture


def paint_people(rng, camera, picture):
    kits = [any_colour(rng) for _ in range(4)]
    places = sorted((rng.uniform(0, 68), rng.uniform(0, 105)) for _ in range(2 * rng.integers(8, 26)))
    for y, x in places:  # far ones first
        (foot,), _ = project(camera, (x, y))
        (head,), _ = project(camera, (x, y, 1.85))
        if not (0 < foot[0] < WIDTH and -20 < head[1] < HEIGHT):
            continue
        height = abs(foot[1] - head[1])
        width, lean = height * rng.uniform(0.16, 0.26), rng.uniform(-1, 1)
        shirt, legs = kits[rng.integers(0, 4)], any_colour(rng) if rng.random() < 0.2 else kits[0]
        shadow = ((foot[0] + lean * height * 0.3, foot[1]), (height * 0.8, height * 0.1), 0)
        cv2.ellipse(picture, shadow, (30, 60, 30), -1)
        hip = (int(foot[0]), int(foot[1] - height * 0.5))
        for side in (-0.4, 0.4):
            cv2.line(picture, (int(foot[0] + side * width), int(foot[1])), hip, legs, max(1, int(width * 0.35)))
        torso = ((foot[0], foot[1] - height * 0.66), (width, height * 0.42), rng.uniform(-15, 15))
        cv2.ellipse(picture, torso, shirt, -1)
        cv2.circle(picture, (int(foot[0]), int(head[1] + height * 0.07)), max(1, int(height * 0.07)), (120, 90, 70), -1)


def paint_score(rng, picture, points, visible):
    """A score box; the points below it are hidden."""
    x, y = int(rng.uniform(10, WIDTH - 200)), int(rng.choice([15, HEIGHT - 45]))
    width = int(rng.uniform(60, 180))
    cv2.rectangle(picture, (x, y), (x + width, y + 25), any_colour(rng), -1)
    under = (points > (x, y)).all(1) & (points < (x + width, y + 25)).all(1)
    return visible & ~under


def render(rng):
    """One picture uint8 [448, 768, 3] RGB and its key points float32 [32, 3]."""
    camera, points, visible = view(rng)
    picture = paint_turf(rng, camera)
    if rng.random() < 0.8:
        paint_boards(rng, camera, picture)
    picture = paint_goals(camera, paint_lines(rng, camera, picture))
    paint_people(rng, camera, picture)
    if rng.random() < 0.5:
        picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.4, 1.0))
    if rng.random() < 0.5:
        visible = paint_score(rng, picture, points, visible)
    return picture, np.c_[points, np.where(visible, 2, 0)].astype(np.float32)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--count', type=int, default=1500)
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--out', type=Path, required=True)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    options.out.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(options.seed)
    frames = np.lib.format.open_memmap(options.out / 'frames.npy', 'w+', np.uint8, (options.count, HEIGHT, WIDTH, 3))
    points = np.empty((options.count, 32, 3), np.float32)
    for i in range(options.count):
        frames[i], points[i] = render(rng)
    frames.flush()
    np.save(options.out / 'points.npy', points)
    print(f'{options.count} pictures, {(points[..., 2] > 0).sum(1).mean():.1f} points visible on average')


if __name__ == '__main__':
    main()
