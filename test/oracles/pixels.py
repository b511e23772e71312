"""Writes test/fixtures/pixels: small images of unusual numbers, and what Pillow or tifffile read of them as 8-bit RGB.

    python3 -m venv ENV && ENV/bin/pip install numpy pillow tifffile imagecodecs
    ENV/bin/python test/oracles/pixels.py

Each row names the file, who reads it back, and how its numbers become brightness: `black` and `white` are what the rule of
src/images/value-range.ts should choose; the arithmetic here is numpy's. Made with Pillow 13.0, tifffile 2026.3, numpy 2.4.
"""
import io, json, os, struct, zlib
import numpy as np, tifffile
from PIL import Image

OUT = os.path.join(os.path.dirname(__file__), '..', 'fixtures', 'pixels')
os.makedirs(OUT, exist_ok=True)
H, W = 10, 14
rng = np.random.default_rng(7)
ramp = np.linspace(0, 1, H * W).reshape(H, W)
ramp[2:5, 3:6] = rng.random((3, 3))
rows = []


def tif(name, array, black, white, flags=('rescaled',), invert=False, tolerance=1, take=None, **options):
    path = os.path.join(OUT, name)
    tifffile.imwrite(path, array, **options)
    values = tifffile.imread(path).astype('f8')
    if take is not None:
        values = take(values)
    shown(name, values, black, white, flags, invert, tolerance)


def shown(name, values, black, white, flags, invert, tolerance):
    with np.errstate(invalid='ignore'):
        share = (values - black) / (white - black)
        byte = np.floor(np.clip(np.nan_to_num(share, nan=0, posinf=1, neginf=0), 0, 1) * 255 + 0.5)
    if invert:
        byte = 255 - byte
    if byte.ndim == 2:
        byte = np.stack([byte] * 3, -1)
    row(name, byte, flags, tolerance)


def row(name, rgb, flags=(), tolerance=1):
    rgb = np.asarray(rgb)
    rows.append({'name': name, 'width': rgb.shape[1], 'height': rgb.shape[0], 'flags': list(flags),
                 'tolerance': tolerance, 'rgb': rgb.astype(int).reshape(-1).tolist()})


def stretched(values):
    finite = np.sort(np.asarray(values, 'f8')[np.isfinite(values)].reshape(-1))
    return [finite[int(np.floor(s * (finite.size - 1) + 0.5))] for s in (0.001, 0.999)]


def bands(n, top, step, dtype):
    return np.stack([ramp * (top - step * i) for i in range(n)], -1).astype(dtype)


# Floating point.
tif('float32.tif', ramp.astype('f4'), 0, 1)
tif('float16.tif', ramp.astype('f2'), 0, 1)
tif('float64.tif', ramp.astype('f8'), 0, 1)
tif('float32-big-endian.tif', ramp.astype('>f4'), 0, 1, byteorder='>')
tif('float32-predictor.tif', ramp.astype('f4'), 0, 1, compression='zlib', predictor=3)
tif('float64-predictor-lzw.tif', ramp.astype('f8'), 0, 1, compression='lzw', predictor=3)
wide = (ramp * 9000 - 500).astype('f4')
tif('float32-wide.tif', wide, *stretched(wide))
small = (ramp * 0.01).astype('f4')
tif('float32-small.tif', small, *stretched(small))
holes = ramp.astype('f4').copy()
holes[0, :5] = [np.nan, np.inf, -np.inf, np.nan, 0.5]
tif('float32-nan-inf.tif', holes, 0, 1)
tifffile.imwrite(os.path.join(OUT, 'float32-all-nan.tif'), np.full((H, W), np.nan, 'f4'))

# What stands for no measurement though the file does not say so: black, and no part of the range.
nan_at = lambda value: lambda values: np.where(values == value, np.nan, values)
gaps = (ramp * 300 + 200).astype('f4')
gaps[0, :6] = -9999
tif('float32-minus-9999.tif', gaps, *stretched(nan_at(-9999)(gaps)), take=nan_at(-9999))
heights = (ramp * 900).astype('i2')
heights[3, :6] = -32768
tif('int16-minus-32768.tif', heights, 0, 2 ** 10 - 1, take=nan_at(-32768))
# A value among its like is a measurement.
depths = np.round(ramp * -2000).astype('f4')
depths[0, 0] = -999
tif('float32-depths.tif', depths, *stretched(depths))
tifffile.imwrite(os.path.join(OUT, 'float32-all-minus-9999.tif'), np.full((H, W), -9999, 'f4'))
rgbf = bands(3, 4000, 300, 'f4')
tif('float32-rgb.tif', rgbf, *stretched(rgbf), photometric='rgb')

# Whole numbers of fewer bits than they are kept in.
for b in (10, 12, 14):
    tif(f'uint16-of-{b}-bits.tif', (ramp * (2 ** b - 1)).astype('u2'), 0, 2 ** b - 1)
    tif(f'packed-{b}-bits.tif', (ramp * (2 ** b - 1)).astype('u2'), 0, 2 ** b - 1, bitspersample=b)
tif('packed-6-bits.tif', (ramp * 63).astype('u1'), 0, 63, bitspersample=6)
tif('uint16.tif', (ramp * 65535).astype('u2'), 0, 65535, flags=())
tif('uint16-rgb-of-12-bits.tif', bands(3, 4095, 200, 'u2'), 0, 4095, photometric='rgb')
twelve = (ramp * 4095).astype('u2')
tif('uint16-deflate-predictor.tif', twelve, 0, 4095, compression='zlib', predictor=2)
tif('uint16-lzw-big-endian.tif', twelve, 0, 4095, compression='lzw', predictor=2, byteorder='>')
tif('uint16-packbits.tif', twelve, 0, 4095, compression='packbits')
tif('uint16-tiles.tif', (np.tile(ramp, (3, 3)) * 4095).astype('u2'), 0, 4095, tile=(16, 16))
tif('uint16-strips.tif', twelve, 0, 4095, rowsperstrip=3)
tif('uint16-bigtiff.tif', twelve, 0, 4095, bigtiff=True)
tif('uint16-declared.tif', twelve, 1000, 3000, extratags=[(340, 'H', 1, 1000, True), (341, 'H', 1, 3000, True)])
narrow = (ramp * 1200 + 300).astype('u2')
dead = np.tile(narrow, (3, 3))
dead[0, 0] = 40000
tif('uint16-dead-pixel.tif', dead, *stretched(dead))
labels = (np.arange(H * W).reshape(H, W) % 6).astype('u2')
tif('uint16-six-labels.tif', labels, 0, 5)
tif('uint32.tif', (ramp * 3e9).astype('u4'), *stretched((ramp * 3e9).astype('u4')))
tif('uint32-of-12-bits.tif', twelve.astype('u4'), 0, 4095)

# Signed numbers.
for dtype, top in (('i1', 100), ('i2', 1000), ('i4', 10 ** 6)):
    signed = (ramp * 2 * top - top).astype(dtype)
    tif(f'{dtype}.tif', signed, *stretched(signed))
tif('int16-hounsfield.tif', (ramp * 4095 - 1024).astype('i2'), -1024, 3071)
tif('int16-never-negative.tif', (ramp * 30000).astype('i2'), 0, 32767)

# Min is white.
tif('min-is-white-8.tif', (ramp * 255).astype('u1'), 0, 255, flags=(), invert=True, photometric='miniswhite')
tif('min-is-white-12.tif', twelve, 0, 4095, invert=True, photometric='miniswhite')
tif('min-is-white-16.tif', (ramp * 65535).astype('u2'), 0, 65535, flags=(), invert=True, photometric='miniswhite')

# Bands.
first = lambda v: v[..., :3]
tif('five-bands.tif', bands(5, 255, 20, 'u1'), 0, 255, flags=('bands',), take=first, photometric='minisblack', planarconfig='contig')
tif('five-bands-planes.tif', np.moveaxis(bands(5, 4095, 200, 'u2'), -1, 0), 0, 4095, flags=('rescaled', 'bands'),
    take=lambda v: np.moveaxis(v, 0, -1)[..., :3], photometric='minisblack', planarconfig='separate', volumetric=False)
tif('two-bands.tif', bands(2, 255, 100, 'u1'), 0, 255, flags=('bands',), take=lambda v: v[..., 0], photometric='minisblack', planarconfig='contig')
tif('rgb-and-infrared.tif', bands(4, 255, 40, 'u1'), 0, 255, flags=('bands',), take=first, photometric='rgb', extrasamples=['UNSPECIFIED'])

# What Pillow reads: transparency on white, palettes, CMYK, fewer bits.
def pillow(name, image, tolerance=1, flags=(), **options):
    path = os.path.join(OUT, name)
    image.save(path, **options)
    read = Image.open(path)
    if read.mode in ('RGBA', 'LA', 'PA') or 'transparency' in read.info:
        rgba = np.asarray(read.convert('RGBA')).astype('f8')
        a = rgba[..., 3:] / 255
        row(name, np.floor(rgba[..., :3] * a + 255 * (1 - a) + 0.5), flags, tolerance)
    else:
        row(name, np.asarray(read.convert('RGB')), flags, tolerance)


rgb8 = bands(3, 255, 60, 'u1')
alpha = (np.linspace(0, 1, W)[None, :].repeat(H, 0) * 255).astype('u1')
rgba = np.dstack([rgb8, alpha])
for ext in ('png', 'tif'):
    pillow(f'rgba.{ext}', Image.fromarray(rgba), tolerance=2)
    pillow(f'grey-alpha.{ext}', Image.fromarray(np.dstack([rgb8[..., 0], alpha])), tolerance=2)
    pillow(f'palette.{ext}', Image.fromarray(rgb8).quantize(16))
    pillow(f'one-bit.{ext}', Image.fromarray(rgb8[..., 0]).convert('1'))
pillow('palette-transparent.png', Image.fromarray(rgb8).quantize(16), transparency=3)
# Two ways from ink to light that are both in use; what is light stays light.
pillow('cmyk.tif', Image.fromarray(rgb8).convert('CMYK'), tolerance=70)
pillow('cmyk.jpg', Image.fromarray(rgb8).convert('CMYK'), tolerance=70, quality=95)


def over_white(values, top, a):
    return np.floor(np.clip(values / top * 255, 0, 255) * a + 255 * (1 - a) + 0.5)


share = alpha[..., None] / 255
straight = np.dstack([bands(3, 4095, 600, 'u2'), (alpha.astype('u2') * 257)])
tifffile.imwrite(os.path.join(OUT, 'rgba-16-of-12-bits.tif'), straight, photometric='rgb', extrasamples=['unassalpha'])
row('rgba-16-of-12-bits.tif', over_white(straight[..., :3].astype('f8'), 4095, share), ['rescaled'], 2)


def png(name, values, sbit=None, flags=(), black=0, white=65535):
    """16 bits, which Pillow reduces when it reads: the numbers are those that are written here."""
    colour = {2: 0, 3: {2: 4, 3: 2, 4: 6}.get(values.shape[-1])}[values.ndim]
    chunk = lambda t, d: struct.pack('>I', len(d)) + t + d + struct.pack('>I', zlib.crc32(t + d))
    lines = b''.join(b'\0' + line.astype('>u2').tobytes() for line in values)
    out = b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', struct.pack('>IIBBBBB', values.shape[1], values.shape[0], 16, colour, 0, 0, 0))
    if sbit:
        out += chunk(b'sBIT', bytes([sbit] * (1 if values.ndim == 2 else values.shape[-1])))
    open(os.path.join(OUT, name), 'wb').write(out + chunk(b'IDAT', zlib.compress(lines)) + chunk(b'IEND', b''))
    Image.open(os.path.join(OUT, name)).verify()
    shown(name, values.astype('f8'), black, white, flags, False, 1)


png('grey-16.png', (ramp * 65535).astype('u2'))
png('grey-16-of-12-bits.png', twelve, flags=['rescaled'], white=4095)
png('grey-16-sbit-12.png', (ramp * 900 + 100).astype('u2'), sbit=12, flags=['rescaled'], white=4095)
# As the specification wants it: scaled up already, and sBIT says only how fine it is.
png('grey-16-sbit-12-scaled.png', (twelve * 16 + (twelve >> 8)).astype('u2'), sbit=12)
png('rgb-16-of-10-bits.png', bands(3, 1023, 100, 'u2'), flags=['rescaled'], white=1023)

# Not decoded: nothing is expected of its pixels.
tifffile.imwrite(os.path.join(OUT, 'uint16-zstd.tif'), twelve, compression='zstd')
json.dump(rows, open(os.path.join(OUT, 'expected.json'), 'w'), separators=(',', ':'))
print(len(rows), 'images,', sum(os.path.getsize(os.path.join(OUT, f)) for f in os.listdir(OUT)), 'bytes')
