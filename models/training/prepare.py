"""Folder of labelled frames -> cache that training reads without decoding: `frames.npy` and `index.json`.

    python3 prepare.py --data ../../../shared/data/football --out /tmp/train/cache --extra extra-objects.txt

`--data` has images/<match>_*.jpg, labels/objects/*.txt (YOLO: class cx cy w h) and labels/pitch/*.txt (one line: box, then
32 x (x, y, visibility)). A picture without a file of a kind is unlabelled for that kind. `--extra` adds object labels for
pictures that `--data` leaves without; their ball counts as unknown, not absent, where they name none.
"""
import argparse
import json
from pathlib import Path

import cv2
import numpy as np

BALL = 0
# 1.5 x the network's input: large enough to zoom into, small enough that 509 frames stay in the page cache (1.1 GB).
CACHE_SIZE = (1152, 648)  # width, height


def read_rows(path):
    return [[float(value) for value in line.split()] for line in path.read_text().splitlines() if line.strip()]


def read_objects(path):
    """Rows (class, cx, cy, w, h), or None where the picture has no object labels."""
    return read_rows(path) if path.exists() else None


def read_extra(path):
    """Picture name -> rows (class, cx, cy, w, h) of a file whose lines are: name class cx cy w h."""
    rows = {}
    for line in path.read_text().splitlines():
        if not line.startswith('#'):
            name, *values = line.split()
            rows.setdefault(name, []).append([float(value) for value in values])
    return rows


def read_pitch(path):
    if not path.exists():
        return None
    values = read_rows(path)[0][5:]
    return [values[i:i + 3] for i in range(0, 96, 3)]


def read_picture(path):
    picture = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
    return cv2.resize(picture, CACHE_SIZE, interpolation=cv2.INTER_AREA)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--data', type=Path, required=True, action='append')
    parser.add_argument('--extra', type=Path, help='object labels for pictures of --data that have none')
    parser.add_argument('--out', type=Path, required=True)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    paths = [path for data in options.data for path in sorted((data / 'images').glob('*.jpg'))]
    frames = np.lib.format.open_memmap(
        options.out / 'frames.npy', 'w+', np.uint8, (len(paths), CACHE_SIZE[1], CACHE_SIZE[0], 3))
    extra = read_extra(options.extra) if options.extra else {}
    index = []
    for i, path in enumerate(paths):
        frames[i] = read_picture(path)
        labels = path.parent.parent / 'labels'
        published = read_objects(labels / f'objects/{path.stem}.txt')
        objects = extra.get(path.stem) if published is None else published
        ball_known = published is not None or any(row[0] == BALL for row in objects or [])
        index.append({'name': path.stem, 'match': path.stem.split('_')[0], 'objects': objects, 'ballKnown': ball_known,
                      'pitch': read_pitch(labels / f'pitch/{path.stem}.txt')})
    frames.flush()
    (options.out / 'index.json').write_text(json.dumps(index))
    counts = [sum(entry[kind] is not None for entry in index) for kind in ('objects', 'pitch')]
    print(f'{len(index)} frames, {counts[0]} with objects, {counts[1]} with pitch')


if __name__ == '__main__':
    main()
