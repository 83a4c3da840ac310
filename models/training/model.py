"""The network: one backbone, two heads (boxes at stride 4, pitch key points at stride 8), and its deployed form.

1.33 M parameters, 2.06 GMAC at 768x448. Persons share one heat-map, and the role (goalkeeper, player, referee) is a softmax
beside it, so that a body gives one peak however unsure its role is.
"""
import torch
import torch.nn as nn
import torch.nn.functional as F

BOX_STRIDE, KEY_POINT_STRIDE, ATTENTION_STRIDE = 4, 8, 32
BASE_SIZE = (448, 768)  # height, width of training
KEY_POINTS = 32
# Channels of the box head.
PERSON, BALL, ROLES, PERSON_BOX, BALL_BOX, BOX_CHANNELS = 0, 1, slice(2, 5), slice(5, 9), slice(9, 13), 13
# Boxes are regressed as log(side / prior): about the median person and ball in input pixels.
PERSON_PRIOR, BALL_PRIOR = (8.0, 16.0), (4.0, 4.0)
PIXEL_MEAN, PIXEL_SCALE = 110.0, 60.0


def normalise(pixels_nhwc):
    """uint8 [N, H, W, 3] RGB -> float32 [N, 3, H, W] around 0."""
    return (pixels_nhwc.permute(0, 3, 1, 2).float() - PIXEL_MEAN) / PIXEL_SCALE


class ConvNorm(nn.Sequential):
    def __init__(self, inputs, outputs, kernel=3, stride=1, relu=True, padding=None):
        super().__init__(
            nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2 if padding is None else padding, bias=False),
            nn.BatchNorm2d(outputs, momentum=0.03),
            nn.ReLU(inplace=True) if relu else nn.Identity(),
        )


class Residual(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.first = ConvNorm(channels, channels)
        self.second = ConvNorm(channels, channels, relu=False)
        nn.init.constant_(self.second[1].weight, 0.2)  # starts near the identity

    def forward(self, x):
        return F.relu(x + self.second(self.first(x)))


class GlobalContext(nn.Module):
    """Self-attention over the whole stride-32 map: a role depends on who else is on the pitch and where."""

    def __init__(self, channels, grid, heads=4):
        super().__init__()
        self.position = nn.Parameter(torch.randn(1, grid[0] * grid[1], channels) * 0.02)
        self.grid, self.heads = grid, heads
        self.norm_in, self.norm_mlp = nn.LayerNorm(channels), nn.LayerNorm(channels)
        self.qkv, self.out = nn.Linear(channels, 3 * channels), nn.Linear(channels, channels)
        self.mlp_in, self.mlp_out = nn.Linear(channels, 2 * channels), nn.Linear(2 * channels, channels)
        for layer in (self.out, self.mlp_out):
            nn.init.normal_(layer.weight, std=0.01)

    def forward(self, x, origins=None):
        """`origins`: one (row, column) in stride-32 cells per picture where `x` shows crops of the full frame."""
        with torch.autocast(x.device.type, enabled=False):  # softmax and layer norm lose too much in bf16
            return self._attend(x.float(), origins)

    def _positions(self, height, width, origins):
        if origins is None:
            return self.position
        grid = self.position.reshape(*self.grid, -1)
        return torch.stack([grid[r:r + height, c:c + width].flatten(0, 1) for r, c in origins])

    def _attend(self, x, origins):
        batch, channels, height, width = x.shape
        tokens, size = x.flatten(2).transpose(1, 2), channels // self.heads
        qkv = self.qkv(self.norm_in(tokens) + self._positions(height, width, origins))
        q, k, v = qkv.reshape(batch, height * width, 3, self.heads, size).permute(2, 0, 3, 1, 4).unbind(0)
        weights = ((q * size**-0.5) @ k.transpose(-1, -2)).softmax(-1)
        tokens = tokens + self.out((weights @ v).transpose(1, 2).reshape(batch, height * width, channels))
        tokens = tokens + self.mlp_out(F.relu(self.mlp_in(self.norm_mlp(tokens))))
        return tokens.transpose(1, 2).reshape(batch, channels, height, width)


def _double(x):
    return F.interpolate(x, scale_factor=2.0, mode='nearest')


class Network(nn.Module):
    """float32 [N, 3, H, W] (normalised; H and W multiples of 32) -> boxes [N, 13, H/4, W/4], key points [N, 34, H/8, W/8]."""

    def __init__(self, size=BASE_SIZE):
        super().__init__()
        self.stem = ConvNorm(3, 24, 8, 4, padding=2)
        self.stage4 = ConvNorm(24, 32)
        self.stage8 = nn.Sequential(ConvNorm(32, 48, 3, 2), Residual(48))
        self.stage16 = nn.Sequential(ConvNorm(48, 80, 3, 2), Residual(80), Residual(80))
        self.stage32 = nn.Sequential(ConvNorm(80, 128, 3, 2), Residual(128))
        self.context = GlobalContext(128, (size[0] // ATTENTION_STRIDE, size[1] // ATTENTION_STRIDE))
        self.stage32_out = Residual(128)
        self.lateral32, self.lateral16 = ConvNorm(128, 64, 1, relu=False), ConvNorm(80, 64, 1, relu=False)
        self.merge16 = ConvNorm(64, 64)
        self.reduce16, self.lateral8 = ConvNorm(64, 48, 1, relu=False), ConvNorm(48, 48, 1, relu=False)
        self.merge8 = ConvNorm(48, 48)
        self.reduce8, self.lateral4 = ConvNorm(48, 32, 1, relu=False), ConvNorm(32, 32, 1, relu=False)
        self.merge4, self.box_features = ConvNorm(32, 32), ConvNorm(32, 48)
        self.box_head = nn.Conv2d(48, BOX_CHANNELS, 1)
        self.key_point_features = ConvNorm(48, 64)
        self.key_point_head = nn.Conv2d(64, KEY_POINTS + 2, 1)
        for head in (self.box_head, self.key_point_head):
            nn.init.normal_(head.weight, std=0.01)
            nn.init.zeros_(head.bias)
        # Heat-maps start almost empty, else the first steps only unlearn a map full of ones.
        self.box_head.bias.data[:2] = -3.5
        self.key_point_head.bias.data[:KEY_POINTS] = -4.0

    def forward(self, x, origins=None, boxes=True, key_points=True):
        at4 = self.stage4(self.stem(x))
        at8 = self.stage8(at4)
        at16 = self.stage16(at8)
        at32 = self.stage32_out(self.context(self.stage32(at16), origins))
        up16 = self.merge16(F.relu(self.lateral16(at16) + _double(self.lateral32(at32))))
        up8 = self.merge8(F.relu(self.lateral8(at8) + _double(self.reduce16(up16))))
        box_map = key_point_map = None
        if boxes:
            up4 = self.merge4(F.relu(self.lateral4(at4) + _double(self.reduce8(up8))))
            box_map = self.box_head(self.box_features(up4))
        if key_points:
            key_point_map = self.key_point_head(self.key_point_features(up8))
        return box_map, key_point_map


def load_network(path, size=BASE_SIZE):
    """The network of a weights file or checkpoint, its position grid interpolated to `size` (height, width)."""
    state = torch.load(path, map_location='cpu')
    state = {name: value.float() for name, value in state.get('ema', state).items()}
    grid = (size[0] // ATTENTION_STRIDE, size[1] // ATTENTION_STRIDE)
    base = (BASE_SIZE[0] // ATTENTION_STRIDE, BASE_SIZE[1] // ATTENTION_STRIDE)
    if grid != base:
        position = state['context.position'].reshape(1, *base, -1).permute(0, 3, 1, 2)
        position = F.interpolate(position, size=grid, mode='bilinear', align_corners=False)
        state['context.position'] = position.flatten(2).transpose(1, 2)
    network = Network(size)
    network.load_state_dict(state)
    return network.eval()


class Deployed(nn.Module):
    """The network with everything that needs no choice: normalisation, peak picking, top-k and box arithmetic.

    uint8 [N, H, W, 3] NHWC RGB -> persons [N, 64, 8] (cx, cy, w, h, score, goalkeeper, player, referee), balls [N, 8, 5]
    (cx, cy, w, h, score), keypoints [N, 32, 3] (x, y, score); everything 0..1 of the picture, sorted by score.
    """

    def __init__(self, network, size, persons=64, balls=8):
        super().__init__()
        self.network, self.size, self.persons, self.balls = network, size, persons, balls

    def _peaks(self, heat, box, count, prior):
        columns, rows = self.size[1] // BOX_STRIDE, self.size[0] // BOX_STRIDE
        score, index = heat.flatten(1).topk(count)
        box = torch.gather(box.flatten(2), 2, index[:, None].expand(-1, 4, -1))
        x = ((index % columns).float() + 0.5 + box[:, 2]) / columns
        y = (torch.div(index, columns, rounding_mode='floor').float() + 0.5 + box[:, 3]) / rows
        width = box[:, 0].clamp(-4, 4).exp() * (prior[0] / self.size[1])
        height = box[:, 1].clamp(-4, 4).exp() * (prior[1] / self.size[0])
        return [x, y, width, height, score], index

    def forward(self, frames):
        boxes, points = self.network(normalise(frames))
        heat = torch.sigmoid(boxes[:, :2])
        heat = heat * (F.max_pool2d(heat, 3, 1, 1) == heat).float()
        person, index = self._peaks(heat[:, PERSON], boxes[:, PERSON_BOX], self.persons, PERSON_PRIOR)
        roles = torch.gather(boxes[:, ROLES].flatten(2), 2, index[:, None].expand(-1, 3, -1)).softmax(1)
        ball, _ = self._peaks(heat[:, BALL], boxes[:, BALL_BOX], self.balls, BALL_PRIOR)
        columns, rows = self.size[1] // KEY_POINT_STRIDE, self.size[0] // KEY_POINT_STRIDE
        score, index = points[:, :KEY_POINTS].sigmoid().flatten(2).max(2)
        offset = torch.gather(points[:, KEY_POINTS:].flatten(2), 2, index[:, None].expand(-1, 2, -1))
        x = ((index % columns).float() + 0.5 + offset[:, 0]) / columns
        y = (torch.div(index, columns, rounding_mode='floor').float() + 0.5 + offset[:, 1]) / rows
        return torch.stack(person + list(roles.unbind(1)), 2), torch.stack(ball, 2), torch.stack([x, y, score], 2)


def multiply_adds(network, size):
    """Multiply-adds of one picture in convolutions and linear layers."""
    total = 0

    def count(module, _, output):
        nonlocal total
        if isinstance(module, nn.Conv2d):
            total += output.numel() * module.in_channels * module.kernel_size[0] * module.kernel_size[1]
        else:
            total += output.numel() * module.in_features

    hooks = [m.register_forward_hook(count) for m in network.modules() if isinstance(m, (nn.Conv2d, nn.Linear))]
    with torch.no_grad():
        network(torch.zeros(1, 3, *size))
    for hook in hooks:
        hook.remove()
    return total
