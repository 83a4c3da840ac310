"""Average precision and key-point accuracy of weights on labelled frames, split by match, with bootstrap intervals.

    python3 evaluate.py WEIGHTS --data ../../../shared/data/football [--matches 2e57b9,cd987c] [--size 768x448] [--json FILE]

Boxes: AP at IoU 0.5 with all-point interpolation over all frames; a person counts once per role with score x role
probability, and once as "any person". Key points: PCK = share of visible points found within 1 % (2 %) of the picture's
diagonal at a score threshold; a false positive is a reported point that is hidden or more than 2 % off. Intervals: 90 %,
frames resampled 1000 times.
"""
import argparse
import json
from pathlib import Path

import cv2
import numpy as np
import torch

import pitch
from model import Deployed, load_network
from prepare import read_objects, read_pitch
from train import VALIDATION

CLASSES = ('ball', 'goalkeeper', 'player', 'referee')
ANY_PERSON = 'any person'
MIN_SCORE = 0.03
PICTURE = np.array([1920.0, 1080.0])  # distances are measured at 16:9, whatever the file's size
DIAGONAL = np.hypot(*PICTURE)
RESAMPLES = 1000


def parse_size(text):
    """'768x448' -> (448, 768)."""
    width, height = (int(part) for part in text.split('x'))
    return height, width


def read_input(path, size):
    picture = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
    return cv2.resize(picture, size[::-1], interpolation=cv2.INTER_AREA)


@torch.no_grad()
def predict(weights, paths, size):
    """Frame name -> (persons [64, 8], balls [8, 5], key points [32, 3]) as the deployed graph answers."""
    model = Deployed(load_network(weights, size), size).eval()
    answers = {}
    for path in paths:
        outputs = model(torch.from_numpy(read_input(path, size))[None])
        answers[path.stem] = tuple(output[0].numpy() for output in outputs)
    return answers


def class_detections(answer, name):
    """(boxes [n, 4] normalised cxcywh, scores [n]) of one class."""
    persons, balls, _ = answer
    if name == 'ball':
        boxes, scores, peaks = balls[:, :4], balls[:, 4], balls[:, 4]
    else:
        share = 1.0 if name == ANY_PERSON else persons[:, 4 + CLASSES.index(name)]
        boxes, scores, peaks = persons[:, :4], persons[:, 4] * share, persons[:, 4]
    return boxes[peaks > MIN_SCORE], scores[peaks > MIN_SCORE]


def overlaps(box, boxes):
    """IoU of one box [4] with boxes [n, 4]."""
    low = np.maximum(box[:2] - box[2:] / 2, boxes[:, :2] - boxes[:, 2:] / 2)
    high = np.minimum(box[:2] + box[2:] / 2, boxes[:, :2] + boxes[:, 2:] / 2)
    shared = np.clip(high - low, 0, None).prod(1)
    return shared / (box[2:].prod() + boxes[:, 2:].prod(1) - shared + 1e-12)


def match_frame(boxes, scores, truth):
    """Greedy by score: (scores, hits) of one frame; each true box is found at most once."""
    order = np.argsort(-scores, kind='stable')
    free, hits = np.ones(len(truth), bool), np.zeros(len(order), bool)
    for i, detection in enumerate(order):
        if free.any():
            iou = np.where(free, overlaps(boxes[detection], truth), -1)
            best = iou.argmax()
            if iou[best] >= 0.5:
                hits[i], free[best] = True, False
    return scores[order], hits


def average_precision(scores, hits, truths):
    """All-point interpolated AP, and (precision, recall, threshold) where F1 is best."""
    order = np.argsort(-scores, kind='stable')
    found = np.cumsum(hits[order])
    if truths == 0 or len(found) == 0:
        return 0.0, (0.0, 0.0, 0.0)
    recall, precision = found / truths, found / np.arange(1, len(found) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    area = float((np.diff(np.r_[0, recall]) * envelope).sum())
    best = int((2 * precision * recall / np.maximum(precision + recall, 1e-9)).argmax())
    return area, (float(precision[best]), float(recall[best]), float(scores[order][best]))


def interval(values):
    return [round(float(value), 4) for value in np.percentile(values, [5, 95])]


def evaluate_boxes(answers, truths):
    """`truths`: frame name -> float [n, 5] (class, cx, cy, w, h)."""
    frames = list(truths)
    matched = {}
    for name in (ANY_PERSON, *CLASSES):
        per_frame = []
        for frame in frames:
            truth = truths[frame]
            chosen = truth[:, 0] > 0 if name == ANY_PERSON else truth[:, 0] == CLASSES.index(name)
            per_frame.append((*match_frame(*class_detections(answers[frame], name), truth[chosen, 1:]), int(chosen.sum())))
        matched[name] = per_frame

    def summarise(name, picks):
        chosen = [matched[name][i] for i in picks]
        return average_precision(np.concatenate([c[0] for c in chosen]), np.concatenate([c[1] for c in chosen]), sum(c[2] for c in chosen))

    rng, result = np.random.default_rng(0), {'frames': len(frames)}
    resamples = [rng.integers(0, len(frames), len(frames)) for _ in range(RESAMPLES)]
    draws = {name: [summarise(name, picks)[0] for picks in resamples] for name in matched}
    for name in matched:
        area, (precision, recall, threshold) = summarise(name, range(len(frames)))
        result[name] = {'ap50': round(area, 4), 'interval': interval(draws[name]), 'count': sum(m[2] for m in matched[name]),
                        'precision': round(precision, 3), 'recall': round(recall, 3), 'threshold': round(threshold, 3)}
    result['map50'] = round(float(np.mean([result[name]['ap50'] for name in CLASSES])), 4)
    result['map50 interval'] = interval(np.mean([draws[name] for name in CLASSES], 0))
    return result


def reprojection_error(points, found, truth):
    """Median distance in % of the diagonal between true points and the template seen through the homography of the found
    ones; None where there is no homography."""
    if found.sum() < 4:
        return None
    template = pitch.key_points()
    homography, inliers = cv2.findHomography(template[found], points[found, :2] * PICTURE, cv2.RANSAC, 18.0)
    if homography is None or inliers.sum() < 4:
        return None
    visible = truth[:, 2] > 0
    image = cv2.perspectiveTransform(template[visible][None], homography)[0]
    return float(np.median(np.hypot(*(image - truth[visible, :2] * PICTURE).T)) / DIAGONAL * 100)


def evaluate_pitch(answers, truths, threshold):
    """`truths`: frame name -> float [32, 3] (x, y normalised, visibility)."""
    rows, errors = [], []
    for frame, truth in truths.items():
        points = answers[frame][2].astype(np.float64)
        distance = np.hypot(*((points[:, :2] - truth[:, :2]) * PICTURE).T) / DIAGONAL
        visible, found = truth[:, 2] > 0, points[:, 2] >= threshold
        false = found & ~(visible & (distance < 0.02))
        rows.append([visible.sum(), (visible & found & (distance < 0.01)).sum(), (visible & found & (distance < 0.02)).sum(), found.sum(), false.sum()])
        errors.append(reprojection_error(points, found, truth))
    rows = np.array(rows)
    total, rng = rows.sum(0), np.random.default_rng(0)
    draws = [rows[rng.integers(0, len(rows), len(rows))].sum(0) for _ in range(RESAMPLES)]
    known = [error for error in errors if error is not None]
    return {'frames': len(rows), 'threshold': threshold, 'visible': int(total[0]),
            'pck1': round(total[1] / total[0], 4), 'interval': interval([draw[1] / draw[0] for draw in draws]),
            'pck2': round(total[2] / total[0], 4), 'false positives': round(total[4] / max(total[3], 1), 4),
            'homographies': round(len(known) / len(rows), 4), 'median error %': round(float(np.median(known)), 3) if known else None}


def evaluate(weights, data, matches, size):
    paths = [path for path in sorted((data / 'images').glob('*.jpg')) if path.stem.split('_')[0] in matches]
    answers, objects, pitches = predict(weights, paths, size), {}, {}
    for path in paths:
        boxes = read_objects(data / f'labels/objects/{path.stem}.txt')
        points = read_pitch(data / f'labels/pitch/{path.stem}.txt')
        if boxes is not None:
            objects[path.stem] = np.array(boxes, np.float64).reshape(-1, 5)
        if points is not None:
            pitches[path.stem] = np.array(points)
    result = {'boxes': evaluate_boxes(answers, objects)} if objects else {}
    if pitches:
        result['pitch'] = [evaluate_pitch(answers, pitches, threshold) for threshold in (0.25, 0.35)]
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('weights', type=Path)
    parser.add_argument('--data', type=Path, required=True)
    parser.add_argument('--matches', default=','.join(VALIDATION))
    parser.add_argument('--size', type=parse_size, default='768x448', help='WIDTHxHEIGHT, multiples of 32')
    parser.add_argument('--json', type=Path)
    options = parser.parse_args()
    result = evaluate(options.weights, options.data, options.matches.split(','), options.size)
    for kind, value in result.items():
        for line in value if kind == 'pitch' else value.items():
            print(*line) if kind == 'boxes' else print('pitch', line)
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + '\n')


if __name__ == '__main__':
    main()
