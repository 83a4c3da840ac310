"""Weights -> ONNX of a fixed picture size with a dynamic batch; weights stored in half precision, computed in single.

    python3 export.py WEIGHTS --size 768x448 --out ../weights/tikitaka-768x448.onnx [--parity FOLDER --pictures A.jpg B.jpg]

Input `frames` uint8 [B, H, W, 3] NHWC RGB; outputs `persons` [B, 64, 8], `balls` [B, 8, 5], `keypoints` [B, 32, 3] (see
model.Deployed). --parity writes the pictures as the input (frames.u8) and PyTorch's answers to them (persons.f32, balls.f32,
keypoints.f32) for a comparison in another runtime.
"""
import argparse
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

from evaluate import parse_size, read_input
from model import Deployed, load_network

OUTPUTS = ('persons', 'balls', 'keypoints')
# Opset 13: the oldest that has every operator used, so that old runtimes and WebGPU load it too.
OPSET = 13
NOTES = {
    'license': 'MIT',
    'attribution': 'Trained on football-players-detection and football-field-detection (roboflow-jvuqo), CC BY 4.0',
}


def export(model, example, path):
    torch.onnx.export(model, example, str(path), opset_version=OPSET, input_names=['frames'], output_names=list(OUTPUTS),
                      dynamic_axes={name: {0: 'B'} for name in ('frames', *OUTPUTS)})


def halve_weights(graph):
    """Stores large float32 constants as float16 behind a Cast, which a runtime folds away while loading: half the file,
    the same speed. Small ones (biases, norms) stay as they are: they save nothing."""
    constants, casts = [], []
    for constant in graph.initializer:
        values = numpy_helper.to_array(constant)
        if values.dtype == np.float32 and values.size > 256:
            constants.append(numpy_helper.from_array(values.astype(np.float16), constant.name + '_f16'))
            casts.append(helper.make_node('Cast', [constant.name + '_f16'], [constant.name], to=TensorProto.FLOAT))
        else:
            constants.append(constant)
    nodes = casts + list(graph.node)  # a node must follow what it reads
    del graph.initializer[:], graph.node[:]
    graph.initializer.extend(constants)
    graph.node.extend(nodes)


def write_parity(model, example, folder):
    folder.mkdir(parents=True, exist_ok=True)
    example.numpy().tofile(folder / 'frames.u8')
    with torch.no_grad():
        for name, output in zip(OUTPUTS, model(example)):
            output.numpy().tofile(folder / f'{name}.f32')


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('weights', type=Path)
    parser.add_argument('--size', type=parse_size, default='768x448')
    parser.add_argument('--out', type=Path, required=True)
    parser.add_argument('--parity', type=Path)
    parser.add_argument('--pictures', type=Path, nargs='+', default=[])
    options = parser.parse_args()
    model = Deployed(load_network(options.weights, options.size), options.size).eval()
    export(model, torch.zeros(2, *options.size, 3, dtype=torch.uint8), options.out)
    stored = onnx.load(str(options.out))
    halve_weights(stored.graph)
    helper.set_model_props(stored, NOTES)
    onnx.checker.check_model(stored)
    onnx.save(stored, str(options.out))
    if options.parity:
        pictures = np.stack([read_input(path, options.size) for path in options.pictures])
        write_parity(model, torch.from_numpy(pictures), options.parity)
    print(f'{options.out}: {options.out.stat().st_size / 1e6:.2f} MB, {len(stored.graph.node)} nodes')


if __name__ == '__main__':
    main()
