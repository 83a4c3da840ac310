"""Trains the network; stops and resumes at any batch.

    LD_PRELOAD=/usr/lib/x86_64-linux-gnu/libjemalloc.so.2 nice python3 train.py --cache /tmp/train/cache \\
        --synthetic /tmp/train/synthetic --out /tmp/train/run --iterations 6000 [--init weights.pt]

Writes OUT/checkpoint.pt (raw weights, EMA, optimiser, iteration) every --save-every iterations; started again with the same
--out it goes on from there, also with another --iterations. The schedule counts iterations, never seconds, so that a
machine shared with others changes how long a run takes and not what it learns.
"""
import argparse
import copy
import math
import os
import time
from pathlib import Path

import torch
import torch.nn.functional as F

from model import BALL, BALL_BOX, BASE_SIZE, KEY_POINTS, PERSON, PERSON_BOX, ROLES, Network, load_network, multiply_adds, normalise
from samples import Frames, Schedule, load_batches

VALIDATION = ('2e57b9', 'cd987c')  # never trained on
ROLE_WEIGHT = (2.5, 1.0, 2.0)  # goalkeeper, player, referee: about one keeper and two referees to twenty players
WARM_UP = 200
EMA_SHARE = 0.1  # the moving average reaches back over a tenth of the run: past the noise, not into the high rates


def focal_loss(logits, heat, positives):
    """CenterNet's penalty-reduced focal loss (arXiv 1904.07850, equation 1), summed, per positive."""
    probability, positive = torch.sigmoid(logits), (heat >= 0.999).float()
    hit = F.logsigmoid(logits) * (1 - probability) ** 2 * positive
    miss = F.logsigmoid(-logits) * probability**2 * (1 - heat) ** 4 * (1 - positive)
    return -(hit + miss).sum() / positives.clamp(min=1)


def weighted_mean(values, weight):
    return (values * weight).sum() / (weight.sum() + 1)


def box_loss(output, heat, weight, box, role):
    output = output.float()
    positives = (heat >= 0.999).float().sum((0, 2, 3))
    error = (output[:, 5:13] - box).abs()
    size, offset = error[:, :2].sum(1), error[:, 2:4].sum(1)
    role_weight = torch.tensor(ROLE_WEIGHT, device=output.device)
    parts = {
        'person': focal_loss(output[:, PERSON], heat[:, 0], positives[0]),
        'ball': 0.7 * focal_loss(output[:, BALL], heat[:, 1], positives[1] + 1),
        'role': 0.7 * weighted_mean(F.cross_entropy(output[:, ROLES], role, reduction='none') * role_weight[role], weight[:, 0]),
        'size': weighted_mean(size, weight[:, 0]),
        'offset': 0.7 * weighted_mean(offset, weight[:, 0]),
        'ball box': 0.4 * weighted_mean(error[:, 4:].sum(1), weight[:, 1]),
    }
    return sum(parts.values()), parts


def key_point_loss(output, heat, weight, offset):
    output = output.float()
    error = (output[:, KEY_POINTS:] - offset).abs().sum(1)
    parts = {
        'points': 0.7 * focal_loss(output[:, :KEY_POINTS], heat, (heat >= 0.999).float().sum()),
        'point offset': 0.5 * weighted_mean(error, weight),
    }
    return sum(parts.values()), parts


def learning_rate(peak, iteration, total, start):
    """Warm-up from where the optimiser began, then a cosine over the whole run, down to 1 % of the peak."""
    warm_up = min(1.0, (iteration - start + 1) / WARM_UP)
    return peak * warm_up * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * iteration / total)))


def make_optimiser(network):
    # Norms and biases are not pulled towards zero.
    matrices = [p for p in network.parameters() if p.ndim >= 2]
    vectors = [p for p in network.parameters() if p.ndim < 2]
    groups = [{'params': matrices, 'weight_decay': 0.03}, {'params': vectors, 'weight_decay': 0.0}]
    return torch.optim.AdamW(groups, betas=(0.9, 0.99))


@torch.no_grad()
def follow(average, network, decay):
    for slow, fast in zip(average.state_dict().values(), network.state_dict().values()):
        if slow.dtype.is_floating_point:
            slow.lerp_(fast, 1 - decay)
        else:
            slow.copy_(fast)


class Trainer:
    def __init__(self, options):
        self.options = options
        self.device = torch.device('cuda' if torch.cuda.is_available() else 'cpu')
        network = load_network(options.init) if options.init else Network()
        # Channels last is what oneDNN and cuDNN compute in; without it every convolution reorders its input.
        self.network = network.to(self.device, memory_format=torch.channels_last)
        self.average = copy.deepcopy(self.network).eval()
        self.optimiser = make_optimiser(self.network)
        self.iteration = self.fresh = 0
        self.checkpoint = options.out / 'checkpoint.pt'
        if self.checkpoint.exists():
            self._resume()

    def _resume(self):
        saved = torch.load(self.checkpoint, map_location=self.device)
        self.network.load_state_dict(saved['raw'])
        self.average.load_state_dict(saved['ema'])
        self.optimiser.load_state_dict(saved['optimiser'])
        self.iteration, self.fresh = saved['iteration'], saved['fresh']

    def save(self):
        saved = {'raw': self.network.state_dict(), 'ema': self.average.state_dict(), 'iteration': self.iteration,
                 'fresh': self.fresh, 'optimiser': self.optimiser.state_dict()}
        partial = self.checkpoint.with_suffix('.part')
        torch.save(saved, partial)
        os.replace(partial, self.checkpoint)  # a run killed while saving keeps its previous checkpoint

    def step(self, batch):
        kind, origins, tensors = batch
        pictures, *labels = (tensor.to(self.device, non_blocking=True) for tensor in tensors)
        pictures = normalise(pictures).to(memory_format=torch.channels_last)
        # bf16 pays where the hardware has it; emulated on AVX2 it halves the speed.
        with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.device.type == 'cuda'):
            boxes, points = self.network(pictures, origins, boxes=kind == 'boxes', key_points=kind == 'points')
        loss, parts = box_loss(boxes, *labels) if kind == 'boxes' else key_point_loss(points, *labels)
        rate = learning_rate(self.options.rate, self.iteration, self.options.iterations, self.fresh)
        for group in self.optimiser.param_groups:
            group['lr'] = rate
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 8.0)
        self.optimiser.step()
        self.iteration += 1
        decay = 1 - 1 / (EMA_SHARE * self.options.iterations)
        follow(self.average, self.network, min(decay, self.iteration / (self.iteration + 20)))
        return rate, {name: float(value) for name, value in parts.items()}

    def run(self, batches):
        self.network.train()
        sums, began = {}, time.monotonic()
        for batch in batches:
            rate, parts = self.step(batch)
            for name, value in parts.items():
                total, count = sums.get(name, (0.0, 0))
                sums[name] = (total + value, count + 1)
            if self.iteration % 50 == 0:
                means = ', '.join(f'{name} {total / count:.3f}' for name, (total, count) in sums.items())
                seconds, sums, began = (time.monotonic() - began) / 50, {}, time.monotonic()
                print(f'{self.iteration}/{self.options.iterations} {seconds:.2f} s/it, rate {rate:.2e}: {means}', flush=True)
            if self.iteration % self.options.save_every == 0:
                self.save()
        self.save()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--cache', type=Path, required=True, help='folder of prepare.py')
    parser.add_argument('--synthetic', type=Path, help='folder of synthesise.py')
    parser.add_argument('--out', type=Path, required=True)
    parser.add_argument('--init', type=Path, help='weights to start from; ignored when OUT has a checkpoint')
    parser.add_argument('--iterations', type=int, required=True)
    parser.add_argument('--batch', type=int, default=4, help='whole frames a batch; crops: twice as many')
    parser.add_argument('--rate', type=float, default=1.2e-3, help='peak learning rate')
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--threads', type=int, default=2)
    parser.add_argument('--workers', type=int, default=1)
    parser.add_argument('--save-every', type=int, default=100)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    trainer = Trainer(options)
    frames = Frames(options.cache, VALIDATION, options.synthetic)
    print(f'{multiply_adds(Network(), BASE_SIZE) / 1e9:.2f} GMAC on {trainer.device}, {len(frames.with_objects)} frames with objects, '
          f'{len(frames.with_pitch)} with pitch, {len(frames.balls)} balls; from iteration {trainer.iteration}', flush=True)
    schedule = Schedule(options.iterations, options.batch, options.seed)
    trainer.run(load_batches(frames, schedule, trainer.iteration, options.workers))


if __name__ == '__main__':
    main()
