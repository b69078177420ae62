"""Round solids and how they are drawn: everything that moves in the built-in data set is made of them.

A solid is a sphere swept along a segment while its radius changes, that is a ball, a capsule or a limb. It is drawn
without supersampling: the distance to its axis gives coverage (hence smooth edges), surface normal (hence light) and
depth (hence what hides what) at once. Pixels are computed with +, −, ×, ÷ and √ in float32 only, which every machine
rounds alike, from coordinates rounded to 1/1024 pixel; no font, no drawing library, no platform's antialiasing.
"""

from dataclasses import dataclass

import numpy as np

WIDTH, HEIGHT = 320, 240
CENTRE = (WIDTH / 2, HEIGHT / 2)
GROUND = 212.0  # row on which the subject stands
PITCH = 0.16  # sine of the angle at which the camera looks down
_PLAN = float(np.sqrt(1 - PITCH**2))
_CREASE = 1.25  # pixels of depth over which two touching solids blend


@dataclass(frozen=True)
class Solid:
    """A ball, capsule or limb over time, in world pixels: x to the right, y up from the ground, z to the camera.

    Args:
        start, end: Centres of its two ends, (T, 3). Equal for a ball.
        radii: Radius at either end.
        colour: (red, green, blue) in 0…255.
        band: Second colour for a band around the solid, if any.
        band_axis: Unit vector across the band's plane, (T, 3); the band turns with it.
        ring: Radius of the circle that the ball is swept around, facing the camera, in pixels; 0 for none.
        casts: Whether it casts a shadow on the ground.
    """

    start: np.ndarray
    end: np.ndarray
    radii: tuple[float, float]
    colour: tuple[int, int, int]
    band: tuple[int, int, int] | None = None
    band_axis: np.ndarray | None = None
    ring: float = 0.0
    casts: bool = True


@dataclass(frozen=True)
class Camera:
    """Where the camera looks at each frame.

    Args:
        x: World x at the middle of the picture, (T,), in pixels.
        y: How far the camera has moved down, (T,), in pixels.
        zoom: Magnification, (T,).
    """

    x: np.ndarray
    y: np.ndarray
    zoom: np.ndarray

    def project(self, points: np.ndarray) -> np.ndarray:
        """World points (..., T, 3) to column, row and depth (nearer is larger) in pixels, (..., T, 3)."""
        x, y, z = np.moveaxis(points, -1, 0)
        column = CENTRE[0] + self.zoom * (x - self.x)
        row = CENTRE[1] + self.zoom * (GROUND - CENTRE[1] - self.y - y * _PLAN + z * PITCH)
        depth = self.zoom * (z * _PLAN + y * PITCH)
        return np.round(np.stack([column, row, depth], axis=-1) * 1024) / 1024


class Stage:
    """Solids seen by a camera, ready to be drawn frame by frame.

    Args:
        solids: What to draw.
        camera: From where.
        light: +1 if the light comes from the right, -1 from the left.
        tint: Colour of the light, (3,), around 1.
    """

    def __init__(self, solids: list[Solid], camera: Camera, light: int, tint: np.ndarray):
        self.solids = solids
        self.light = (0.5 * light, -0.62, 0.6)
        ends = np.stack(
            [np.stack([solid.start for solid in solids]), np.stack([solid.end for solid in solids])], axis=1
        )
        self.ends = camera.project(ends)  # (solids, 2, T, 3)
        self.radii = np.array([solid.radii for solid in solids])[:, :, None] * camera.zoom  # (solids, 2, T)
        self.rings = np.array([solid.ring for solid in solids])[:, None] * camera.zoom  # (solids, T)
        self.order = np.argsort(self.ends[..., 2].mean(axis=1), axis=0, kind="stable")  # (solids, T), farthest first
        # Left, top, right and bottom of each solid, (solids, 4, T), in pixels.
        reach = (self.radii + self.rings[:, None])[..., None]
        low, high = (self.ends[..., :2] - reach).min(axis=1), (self.ends[..., :2] + reach).max(axis=1)
        self.boxes = np.concatenate([low, high], axis=-1).transpose(0, 2, 1)
        self.colours = [_tinted(solid.colour, tint) for solid in solids]
        self.bands = [None if solid.band is None else _tinted(solid.band, tint) for solid in solids]
        self._prepare_shadows(ends, camera, light)

    def _prepare_shadows(self, ends: np.ndarray, camera: Camera, light: int) -> None:
        cast = [index for index, solid in enumerate(self.solids) if solid.casts]
        # Where each end and each middle, carried along the light, meets the ground.
        ends = ends[cast]
        points = np.concatenate([ends, ends.mean(axis=1, keepdims=True)], axis=1)
        rings = np.array([self.solids[index].ring for index in cast])[:, None, None]
        radii = np.array([self.solids[index].radii for index in cast])
        radii = np.concatenate([radii, radii.mean(axis=1, keepdims=True)], axis=1)[:, :, None] + 0.4 * rings
        height = np.maximum(points[..., 1] - rings, 0)
        on_ground = np.stack([points[..., 0] - 0.12 * light * height, np.zeros_like(height), points[..., 2]], axis=-1)
        num_frames = points.shape[2]
        self.shadow_places = camera.project(on_ground).reshape(-1, num_frames, 3)
        reach = camera.zoom * (radii * 1.5 + height * 0.1 + 3)
        self.shadow_reach = reach.reshape(-1, num_frames)
        self.shadow_strength = (0.75 * radii / (radii + 0.14 * height)).reshape(-1, num_frames)

    def bounds(self, frame: int) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of everything drawn at a frame, in pixels, before clipping to the picture."""
        boxes = self.boxes[:, :, frame]
        return (*boxes[:, :2].min(axis=0).tolist(), *boxes[:, 2:].max(axis=0).tolist())

    def draw(self, picture: np.ndarray, frame: int) -> None:
        """Draw a frame's shadows and solids onto a picture in place.

        Args:
            picture: (240, 320, 3) uint8.
            frame: Which frame.
        """
        self._draw_shadows(picture, frame)
        left, top, right, bottom = _clipped(self.bounds(frame))
        if left >= right or top >= bottom:
            return
        window = picture[top:bottom, left:right]
        canvas = np.ascontiguousarray(window.transpose(2, 0, 1), dtype=np.float32)
        depth = np.full(canvas.shape[1:], -1e6, dtype=np.float32)
        columns = np.arange(left, right, dtype=np.float32)
        rows = np.arange(top, bottom, dtype=np.float32)[:, None]
        # Plain numbers, because NumPy's scalars are slow.
        ends, radii = self.ends[:, :, frame].tolist(), self.radii[:, :, frame].tolist()
        rings, boxes = self.rings[:, frame].tolist(), self.boxes[:, :, frame].tolist()
        for index in self.order[:, frame].tolist():
            first, upper, last, lower = _clipped(boxes[index])
            first, upper, last, lower = first - left, upper - top, last - left, lower - top
            if first < last and upper < lower:
                area = slice(upper, lower), slice(first, last)
                geometry = columns[first:last], rows[upper:lower], ends[index], radii[index], rings[index]
                self._draw_solid(canvas[:, *area], depth[area], index, frame, *geometry)
        window[...] = np.minimum(canvas + 0.5, 255).astype(np.uint8).transpose(1, 2, 0)

    def _draw_shadows(self, picture: np.ndarray, frame: int) -> None:
        places, reach = self.shadow_places[:, frame], self.shadow_reach[:, frame]
        if not len(places):
            return
        flat = 0.3  # a shadow on the ground is seen at a grazing angle
        left, top, right, bottom = _clipped(
            (
                (places[:, 0] - reach).min(),
                (places[:, 1] - flat * reach).min(),
                (places[:, 0] + reach).max(),
                (places[:, 1] + flat * reach).max(),
            )
        )
        if left >= right or top >= bottom:
            return
        across = 1 - ((np.arange(left, right) - places[:, :1]) / reach[:, None]) ** 2
        down = 1 - ((np.arange(top, bottom) - places[:, 1:2]) / (flat * reach[:, None])) ** 2
        across, down = np.maximum(across, 0), np.maximum(down, 0)
        total = (self.shadow_strength[:, frame, None] * down**2).T @ across**2
        shade = 1 - 0.52 * total / (1 + total)
        window = picture[top:bottom, left:right]
        window[...] = (window * shade[..., None] + 0.5).astype(np.uint8)

    def _draw_solid(self, painting, nearest, index, frame, x, y, ends, radii, ring) -> None:
        """Draw one solid onto its part of the canvas, (3, h, w), where it is in front of what is there, (h, w)."""
        (ax, ay, az), (bx, by, bz) = ends
        radius_a, radius_b = radii
        x, y = x - ax, y - ay
        dx, dy = bx - ax, by - ay
        squared = dx * dx + dy * dy
        if squared > 0.01:  # position along the axis, 0…1
            along = _between_0_and_1((x * dx + y * dy) / squared)
            x, y = x - along * dx, y - along * dy
            radius = radius_a + along * (radius_b - radius_a)
            axis_depth = az + along * (bz - az)
        else:  # seen end on, or a ball
            radius, axis_depth = (radius_a, az) if az > bz else (radius_b, bz)
            if ring:
                inward = 1 - ring / np.sqrt(np.maximum(x * x + y * y, 1))
                x, y = x * inward, y * inward
        distance = x * x + y * y
        cover = _between_0_and_1(radius - np.sqrt(distance) + 0.5)
        inverse = 1 / radius
        bulge = np.sqrt(np.maximum(1 - distance * (inverse * inverse), 0))  # the normal's part towards the camera
        surface = axis_depth + radius * bulge

        weight = cover * _between_0_and_1((surface - nearest) * (1 / _CREASE) + 0.5)
        np.copyto(nearest, surface, where=weight > 0.5)
        light_x, light_y, light_z = self.light
        lit = (x * light_x + y * light_y) * inverse + bulge * light_z
        # Half Lambert: soft, never black. The edge is darkened a little, which sets limbs apart from the trunk.
        shade = (0.6 + 0.5 * lit) * (0.7 + 0.38 * bulge)
        colour = self.colours[index][:, None, None]
        if self.bands[index] is not None:
            axis = self.solids[index].band_axis[frame].tolist()
            tilt = (x * axis[0] - y * axis[1]) * inverse + bulge * axis[2]
            inside = _between_0_and_1((0.34 - np.abs(tilt)) * 12)
            colour = colour + (self.bands[index][:, None, None] - colour) * inside
        painting *= 1 - weight
        painting += colour * (weight * shade)


def _between_0_and_1(values: np.ndarray) -> np.ndarray:
    return np.minimum(np.maximum(values, 0, out=values), 1, out=values)


def _tinted(colour, tint) -> np.ndarray:
    return np.minimum(np.asarray(colour) * tint, 255).astype(np.float32)


def _clipped(bounds) -> tuple[int, int, int, int]:
    left, top, right, bottom = bounds
    return max(int(left) - 2, 0), max(int(top) - 2, 0), min(int(right) + 3, WIDTH), min(int(bottom) + 3, HEIGHT)
