"""An endless, reproducible stream of training batches: batch i depends on the seed and i alone, so a run can be stopped and
resumed at any batch with any number of loader processes."""
import json
import math
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

import augment
from model import ATTENTION_STRIDE, BASE_SIZE
from pitch import mirror_index
from targets import box_targets, key_point_targets

HEIGHT, WIDTH = BASE_SIZE
CROP_HEIGHT, CROP_WIDTH = 320, 512
BALL, PLAYER = 0, 2
# How often a crop is laid around an object of each class: players come along anyway.
CROP_WEIGHT = {0: 6.0, 1: 9.0, 2: 1.0, 3: 6.0}
MIRROR = mirror_index()
KEY_POINTS_EVERY = 4  # every fourth batch trains key points; at every sixth they grew worse while boxes grew better


@dataclass(frozen=True)
class Schedule:
    """What a batch holds at each point of the run (progress 0..1)."""
    iterations: int
    batch: int  # whole frames a batch; crops come in twice that number at about the same cost
    seed: int
    crop_until: float = 0.5  # crops are cheap and rich in rare classes; roles need the whole frame to compare kits

    def crops(self, index):
        return index / self.iterations < self.crop_until

    def synthetic_share(self, index):
        return 0.3 if index / self.iterations < 0.5 else 0.1


class Frames:
    """The cache of prepare.py without the matches in `without`, and optionally synthesise.py's pictures."""

    def __init__(self, cache, without, synthetic=None):
        self.pictures = np.load(cache / 'frames.npy', mmap_mode='r')
        index = json.loads((cache / 'index.json').read_text())
        kept = [(i, entry) for i, entry in enumerate(index) if entry['match'] not in without]
        self.with_objects = [(i, entry['objects'], entry['ballKnown']) for i, entry in kept if entry['objects'] is not None]
        self.with_pitch = [(i, np.array(entry['pitch'], np.float32)) for i, entry in kept if entry['pitch'] is not None]
        self.size = (self.pictures.shape[2], self.pictures.shape[1])
        self.balls = [self._cut(i, entry) for i, entries, _ in self.with_objects for entry in entries if entry[0] == BALL]
        self.synthetic = self.synthetic_points = None
        if synthetic:
            self.synthetic = np.load(synthetic / 'frames.npy', mmap_mode='r')
            self.synthetic_points = np.load(synthetic / 'points.npy')

    def _cut(self, i, entry):
        """A ball with its surroundings: patch, centre in the patch, size, all in cache pixels."""
        centre, size = np.array(entry[1:3]) * self.size, np.array(entry[3:5]) * self.size
        low = np.maximum(np.floor(centre - size), 0).astype(int)
        high = np.minimum(np.ceil(centre + size), self.size).astype(int)
        return self.pictures[i, low[1]:high[1], low[0]:high[0]].copy(), centre - low, size


def _crop_origin(rng, objects):
    """Top-left corner of a crop around a (preferably rare) object, on the attention grid so that positions can be sliced."""
    limit = np.array([WIDTH - CROP_WIDTH, HEIGHT - CROP_HEIGHT])
    if objects and rng.random() < 0.8:
        weight = np.array([CROP_WEIGHT[entry[0]] for entry in objects])
        chosen = objects[rng.choice(len(objects), p=weight / weight.sum())]
        corner = np.array(chosen[1:3]) - rng.uniform(0.15, 0.85, 2) * (CROP_WIDTH, CROP_HEIGHT)
    else:
        corner = rng.uniform(0, limit)
    return np.round(np.clip(corner, 0, limit) / ATTENTION_STRIDE).astype(int) * ATTENTION_STRIDE


def box_sample(rng, frames, crop):
    """Picture, box targets and the crop's place (row, column) on the attention grid."""
    i, labels, ball_known = frames.with_objects[rng.integers(len(frames.with_objects))]
    matrix, _ = augment.random_affine(rng, frames.size, (WIDTH, HEIGHT), (0.75, 1.75))
    size, origin = (WIDTH, HEIGHT), np.zeros(2, int)
    if crop:
        whole = augment.move_objects(labels, matrix, frames.size, size)
        size, origin = (CROP_WIDTH, CROP_HEIGHT), _crop_origin(rng, whole)
    objects = augment.move_objects(labels, matrix, frames.size, size, origin)
    shifted = matrix.copy()
    shifted[:2, 2] -= origin
    picture = augment.warp(rng, frames.pictures[i], shifted, size)
    scale = math.hypot(matrix[0, 0], matrix[1, 0])
    while frames.balls and rng.random() < 0.4:
        augment.paste_ball(rng, picture, objects, frames.balls[rng.integers(len(frames.balls))], scale)
    picture = augment.restyle(rng, picture, objects)
    return (picture, *box_targets(objects, size[1], size[0], ball_known)), tuple(origin[::-1] // ATTENTION_STRIDE)


def key_point_sample(rng, frames, synthetic_share):
    """Picture and key-point targets, of a synthetic pitch or a real frame."""
    if frames.synthetic is not None and rng.random() < synthetic_share:
        i = rng.integers(len(frames.synthetic))
        source, points = frames.synthetic[i], frames.synthetic_points[i].copy()
    else:
        i, labels = frames.with_pitch[rng.integers(len(frames.with_pitch))]
        source, points = frames.pictures[i], labels * (*frames.size, 1)
    source_size = (source.shape[1], source.shape[0])
    matrix, mirrored = augment.random_affine(rng, source_size, (WIDTH, HEIGHT), (0.75, 1.45))
    picture = augment.restyle(rng, augment.warp(rng, source, matrix, (WIDTH, HEIGHT)))
    points[:, :2] = augment.move_points(points[:, :2], matrix)
    if mirrored:
        points = points[MIRROR]
    outside = (points[:, :2] < 0).any(1) | (points[:, 0] >= WIDTH) | (points[:, 1] >= HEIGHT)
    points[outside, 2] = 0
    return picture, *key_point_targets(points, HEIGHT, WIDTH)


def make_batch(frames, schedule, index):
    """('boxes' | 'points', origins or None, [uint8 pictures [n, H, W, 3], targets...]) as tensors."""
    rng = np.random.default_rng((schedule.seed, index))
    if index % KEY_POINTS_EVERY == KEY_POINTS_EVERY - 1:
        samples = [key_point_sample(rng, frames, schedule.synthetic_share(index)) for _ in range(schedule.batch)]
        kind, origins = 'points', None
    else:
        crop = schedule.crops(index)
        pairs = [box_sample(rng, frames, crop) for _ in range(schedule.batch * (2 if crop else 1))]
        samples, origins = zip(*pairs)
        kind, origins = 'boxes', (origins if crop else None)
    return kind, origins, [torch.from_numpy(np.stack(part)) for part in zip(*samples)]


class Batches(IterableDataset):
    def __init__(self, frames, schedule, start):
        super().__init__()
        self.frames, self.schedule, self.start = frames, schedule, start

    def __iter__(self):
        worker = get_worker_info()
        first, step = (worker.id, worker.num_workers) if worker else (0, 1)
        cv2.setNumThreads(1)  # the cores belong to the network
        for index in range(self.start + first, self.schedule.iterations, step):
            yield make_batch(self.frames, self.schedule, index)


def load_batches(frames, schedule, start, workers):
    # The loader asks its workers in turn, which puts the strided indices back in order.
    return DataLoader(Batches(frames, schedule, start), batch_size=None, num_workers=workers, pin_memory=torch.cuda.is_available())
