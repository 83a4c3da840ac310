"""Frames of a rendered clip with its exact truth, in the layout that prepare.py and evaluate.py read.

    tikitaka demo --seed 7        # keeps CLIP.mp4 and CLIP.truth.json in ~/.cache/tikitaka
    python3 clip_frames.py CLIP.mp4 --name demo7 --every 60 --out FOLDER
"""
import argparse
import json
from pathlib import Path

import cv2


def object_line(entry, width, height):
    x0, y0, x1, y1 = entry['bbox']
    box = ((x0 + x1) / 2 / width, (y0 + y1) / 2 / height, (x1 - x0) / width, (y1 - y0) / height)
    return ' '.join([str(entry['class_id']), *(f'{value:.5f}' for value in box)])


def pitch_line(points, width, height):
    # [0, 0] means not in the picture; the leading box is part of the layout and read by nobody.
    values = [f'{x / width:.5f} {y / height:.5f} {2 if x or y else 0}' for x, y in points]
    return ' '.join(['0 0.5 0.5 1 1', *values])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('clip', type=Path)
    parser.add_argument('--name', required=True, help='stands for the match in file names')
    parser.add_argument('--every', type=int, default=60)
    parser.add_argument('--out', type=Path, required=True)
    options = parser.parse_args()
    truth = json.loads(options.clip.with_suffix('.truth.json').read_text())
    for folder in ('images', 'labels/objects', 'labels/pitch'):
        (options.out / folder).mkdir(parents=True, exist_ok=True)
    video = cv2.VideoCapture(str(options.clip))
    for number, frame in enumerate(truth['frames']):
        if not video.grab():
            break
        if number % options.every:
            continue
        stem, size = f'{options.name}_0_{number}', (truth['width'], truth['height'])
        picture = cv2.resize(video.retrieve()[1], (1280, 720), interpolation=cv2.INTER_AREA)
        cv2.imwrite(str(options.out / f'images/{stem}.jpg'), picture, [cv2.IMWRITE_JPEG_QUALITY, 92])
        lines = [object_line(entry, *size) for entry in frame['objects']]
        (options.out / f'labels/objects/{stem}.txt').write_text('\n'.join(lines) + '\n')
        (options.out / f'labels/pitch/{stem}.txt').write_text(pitch_line(frame['keypoints'], *size) + '\n')


if __name__ == '__main__':
    main()
