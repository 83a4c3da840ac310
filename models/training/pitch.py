"""The pitch in metres: the 32 key points, their left-right mirror, and the painted lines.

Coordinates: x along the touchline, 0 at the left goal line of the broadcast picture; y across, 0 at the FAR touchline and
growing towards the camera; z up. Seen from the main stand this is a left-handed system: a camera built with the
right-hand rule renders a mirrored pitch.
"""
import numpy as np

LENGTH, WIDTH = 105.0, 68.0
PENALTY_DEPTH, PENALTY_WIDTH = 16.5, 40.32
GOAL_AREA_DEPTH, GOAL_AREA_WIDTH = 5.5, 18.32
CIRCLE_RADIUS, PENALTY_SPOT, GOAL_WIDTH, GOAL_HEIGHT = 9.15, 11.0, 7.32, 2.44
# The labels put points 11, 12, 19, 20 (from 1) where the penalty arc meets the box line, not on the goal area's sides:
# this template fits them with 0.122 % of the diagonal median residual, against 0.187 % (measured on the training matches).
ARC_HALF_WIDTH = float(np.sqrt(CIRCLE_RADIUS**2 - (PENALTY_DEPTH - PENALTY_SPOT) ** 2))


def key_points():
    """float64 [32, 2], metres, in the order of docs/protocol.md §2."""
    length, width = LENGTH, WIDTH
    box0, box1 = (width - PENALTY_WIDTH) / 2, (width + PENALTY_WIDTH) / 2
    area0, area1 = (width - GOAL_AREA_WIDTH) / 2, (width + GOAL_AREA_WIDTH) / 2
    arc0, arc1 = width / 2 - ARC_HALF_WIDTH, width / 2 + ARC_HALF_WIDTH
    half, middle, radius = length / 2, width / 2, CIRCLE_RADIUS
    left = [(0, 0), (0, box0), (0, area0), (0, area1), (0, box1), (0, width)]
    left += [(GOAL_AREA_DEPTH, area0), (GOAL_AREA_DEPTH, area1), (PENALTY_SPOT, middle)]
    left += [(PENALTY_DEPTH, y) for y in (box0, arc0, arc1, box1)]
    centre = [(half, 0), (half, middle - radius), (half, middle + radius), (half, width)]
    right = [(length - PENALTY_DEPTH, y) for y in (box0, arc0, arc1, box1)]
    right += [(length - PENALTY_SPOT, middle), (length - GOAL_AREA_DEPTH, area0), (length - GOAL_AREA_DEPTH, area1)]
    right += [(length, 0), (length, box0), (length, area0), (length, area1), (length, box1), (length, width)]
    return np.array(left + centre + right + [(half - radius, middle), (half + radius, middle)], np.float64)


def mirror_index():
    """mirror_index()[i] is the key point that point i becomes when the picture is flipped left to right."""
    points = key_points()
    mirrored = points * [-1, 1] + [LENGTH, 0]
    return [int(np.abs(points - point).sum(1).argmin()) for point in mirrored]


def painted_lines():
    """Polylines float64 [n, 2] in metres: everything that is white on the grass, spots excepted."""
    def segment(a, b):
        return np.linspace(a, b, 40)

    def arc(centre, start, stop, count):
        t = np.linspace(start, stop, count)
        return np.stack([centre[0] + CIRCLE_RADIUS * np.cos(t), centre[1] + CIRCLE_RADIUS * np.sin(t)], 1)

    lines = [segment((0, 0), (LENGTH, 0)), segment((0, WIDTH), (LENGTH, WIDTH)), segment((LENGTH / 2, 0), (LENGTH / 2, WIDTH))]
    lines.append(arc((LENGTH / 2, WIDTH / 2), 0, 2 * np.pi, 90))
    spread = np.arccos((PENALTY_DEPTH - PENALTY_SPOT) / CIRCLE_RADIUS)
    for goal, inward, facing in ((0.0, 1.0, 0.0), (LENGTH, -1.0, np.pi)):
        lines.append(segment((goal, 0), (goal, WIDTH)))
        for depth, width in ((PENALTY_DEPTH, PENALTY_WIDTH), (GOAL_AREA_DEPTH, GOAL_AREA_WIDTH)):
            y0, y1, x = (WIDTH - width) / 2, (WIDTH + width) / 2, goal + inward * depth
            lines += [segment((goal, y0), (x, y0)), segment((goal, y1), (x, y1)), segment((x, y0), (x, y1))]
        lines.append(arc((goal + inward * PENALTY_SPOT, WIDTH / 2), facing - spread, facing + spread, 30))
    return lines
