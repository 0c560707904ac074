"use strict";

// G in plain JavaScript, from the layers of a generator.json and the numbers of its generator.bin (docs/architecture.md).
// Activations are float32, channels last: for each image of a batch height x width x channels.

const Generator = (() => {
  /** The numbers that the base64 text of a generator.bin holds: bytes at even places, then those at odd places, by zlib. */
  async function unpacked(base64) {
    const packed = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
    const apart = new Uint8Array(await new Response(stream).arrayBuffer());
    const bytes = new Uint8Array(apart.length);
    const half = apart.length / 2;
    for (let k = 0; k < half; k += 1) [bytes[2 * k], bytes[2 * k + 1]] = [apart[k], apart[half + k]];
    return new Numbers(bytes);
  }

  /** Numbers in their order. */
  class Numbers {
    constructor(bytes) {
      this.bytes = bytes;
      this.at = 0;
    }

    /** The next n float16 numbers (IEEE 754 binary16, little-endian), as float32. */
    halves(n) {
      const powers = Float64Array.from({ length: 32 }, (_, exponent) => 2 ** (Math.max(exponent, 1) - 25));
      const values = new Float32Array(n);
      for (let k = 0; k < n; k += 1, this.at += 2) {
        const bits = this.bytes[this.at] | (this.bytes[this.at + 1] << 8);
        const exponent = (bits >> 10) & 31;
        const size = ((bits & 1023) | (exponent > 0 ? 1024 : 0)) * powers[exponent];
        values[k] = bits & 32768 ? -size : size;
      }
      return values;
    }

    floats(n) {
      const view = new DataView(this.bytes.buffer, this.at, 4 * n);
      this.at += 4 * n;
      return Float32Array.from({ length: n }, (_, k) => view.getFloat32(4 * k, true));
    }

    weights(n, { halves }) {
      return halves ? this.halves(n) : this.floats(n);
    }
  }

  /**
   * Sums of products at each place of `rows` x `columns`, for each output channel: of `kernelRows` runs of `run` numbers of
   * the input, `inputLine` apart, with the channel's weights. Four channels at two places share what they read.
   */
  function correlate(input, output, { weights, bias, channels, kernelRows, run, inputAt, inputLine, inputRow, inputColumn, outputAt, outputRow, outputColumn, rows, columns }) {
    const size = kernelRows * run;
    for (let channel = 0; channel < channels; channel += 4) {
      const left = channels - channel;
      const first = channel * size;
      const [w1, w2, w3] = [1, 2, 3].map((more) => Math.min(more, left - 1) * size);
      const [bias0, bias1, bias2, bias3] = [0, 1, 2, 3].map((more) => bias[Math.min(channel + more, channels - 1)]);
      for (let row = 0; row < rows; row += 1) {
        for (let column = 0; column < columns; column += 2) {
          const two = column + 1 < columns;
          let a = bias0, b = bias1, c = bias2, d = bias3;
          let e = a, f = b, g = c, h = d;
          let here = inputAt + row * inputRow + column * inputColumn;
          let next = two ? here + inputColumn : here;
          let weight = first;
          for (let line = 0; line < kernelRows; line += 1) {
            for (let k = 0; k < run; k += 1) {
              const x = input[here + k], y = input[next + k];
              const p = weights[weight + k], q = weights[weight + w1 + k], r = weights[weight + w2 + k], s = weights[weight + w3 + k];
              a += x * p; b += x * q; c += x * r; d += x * s;
              e += y * p; f += y * q; g += y * r; h += y * s;
            }
            here += inputLine;
            next += inputLine;
            weight += run;
          }
          let at = outputAt + row * outputRow + column * outputColumn + channel;
          output[at] = a;
          if (left > 1) output[at + 1] = b;
          if (left > 2) output[at + 2] = c;
          if (left > 3) output[at + 3] = d;
          if (!two) continue;
          at += outputColumn;
          output[at] = e;
          if (left > 1) output[at + 1] = f;
          if (left > 2) output[at + 2] = g;
          if (left > 3) output[at + 3] = h;
        }
      }
    }
  }

  const count = ([height, width, channels]) => height * width * channels;

  // Each kind of layer: (layer, size of its input, numbers) -> { size of its output, run(input, images) -> output }.
  // An output is the layer's own memory, which its next run overwrites.

  function memory(size) {
    let held = new Float32Array(0);
    return (images) => {
      if (held.length < images * count(size)) held = new Float32Array(images * count(size));
      return held;
    };
  }

  function linear(layer, size, numbers) {
    const [channels, run] = layer.shape;
    const plan = { weights: numbers.weights(channels * run, layer), bias: numbers.floats(channels), channels, kernelRows: 1, run, rows: 1,
      inputAt: 0, inputLine: 0, inputRow: 0, inputColumn: run, outputAt: 0, outputRow: 0, outputColumn: channels };
    const made = memory([1, 1, channels]);
    const apply = (input, images) => {
      const output = made(images);
      correlate(input, output, { ...plan, columns: images });
      return output;
    };
    return { size: [1, 1, channels], run: apply };
  }

  /**
   * The taps of one axis of a convolution, for outputs `phase`, `phase + step`, ...: the numbers of the kernel's places, in
   * the order in which the input passes them, the input at which the first output begins, and the inputs between two outputs.
   */
  function phases(transposed, kernel, stride, padding, outputs) {
    if (!transposed) {
      return [{ phase: 0, step: 1, taps: Array.from({ length: kernel }, (_, k) => k), begin: -padding, stride, outputs }];
    }
    // Output o = i * stride - padding + k takes input i with the kernel's place k.
    return Array.from({ length: Math.min(stride, outputs) }, (_, phase) => {
      const [first, shift] = [(phase + padding) % stride, Math.floor((phase + padding) / stride)];
      const n = Math.max(0, Math.ceil((kernel - first) / stride));
      const taps = Array.from({ length: n }, (_, k) => first + stride * (n - 1 - k));
      return { phase, step: stride, taps, begin: shift - (n - 1), stride: 1, outputs: Math.ceil((outputs - phase) / stride) };
    });
  }

  /** Zeros that an input of `side` needs before and after it. */
  function margins(axis, side) {
    const ends = axis.map(({ begin, stride, outputs, taps }) => begin + (outputs - 1) * stride + taps.length);
    return [Math.max(0, ...axis.map(({ begin }) => -begin)), Math.max(0, Math.max(...ends) - side)];
  }

  function outputSide(transposed, side, kernel, stride, padding, more) {
    return transposed ? (side - 1) * stride - 2 * padding + kernel + more : Math.floor((side + 2 * padding - kernel) / stride) + 1;
  }

  const convolution = (transposed) => (layer, [height, width, depth], numbers) => {
    const { shape, stride, padding, output_padding: more } = layer;
    const [kernelHeight, kernelWidth] = shape.slice(2);
    const channels = transposed ? shape[1] : shape[0];
    const kernel = numbers.weights(count(shape) * shape[3], layer);
    const bias = numbers.floats(channels);
    const side = (axis, length) => outputSide(transposed, length, shape[2 + axis], stride[axis], padding[axis], more[axis]);
    const size = [side(0, height), side(1, width), channels];
    const down = phases(transposed, kernelHeight, stride[0], padding[0], size[0]);
    const across = phases(transposed, kernelWidth, stride[1], padding[1], size[1]);
    const [[top, bottom], [left, right]] = [margins(down, height), margins(across, width)];
    const lineLength = (left + width + right) * depth;
    const padded = new Float32Array((top + height + bottom) * lineLength);

    /** The kernel's numbers at some of its places, for each output channel in the order in which the input lies. */
    function chosen(rows, columns) {
      const weights = new Float32Array(channels * rows.length * columns.length * depth);
      let at = 0;
      for (let channel = 0; channel < channels; channel += 1) {
        for (const row of rows) for (const column of columns) for (let k = 0; k < depth; k += 1, at += 1) {
          const pair = transposed ? k * channels + channel : channel * depth + k;
          weights[at] = kernel[(pair * kernelHeight + row) * kernelWidth + column];
        }
      }
      return weights;
    }

    const plans = down.flatMap((y) => across.map((x) => ({
      weights: chosen(y.taps, x.taps), bias, channels, kernelRows: y.taps.length, run: x.taps.length * depth,
      inputAt: (top + y.begin) * lineLength + (left + x.begin) * depth, inputLine: lineLength,
      inputRow: y.stride * lineLength, inputColumn: x.stride * depth,
      firstOutput: (y.phase * size[1] + x.phase) * channels, outputRow: y.step * size[1] * channels, outputColumn: x.step * channels,
      rows: y.outputs, columns: x.outputs,
    })));
    const made = memory(size);
    const apply = (input, images) => {
      const output = made(images);
      for (let image = 0; image < images; image += 1) {
        for (let row = 0; row < height; row += 1) {
          const from = (image * height + row) * width * depth;
          padded.set(input.subarray(from, from + width * depth), (top + row) * lineLength + left * depth);
        }
        for (const plan of plans) correlate(padded, output, { ...plan, outputAt: image * count(size) + plan.firstOutput });
      }
      return output;
    };
    return { size, run: apply };
  };

  /** A layer that replaces each number in its place: `change(values, n)` of the first n. */
  const inPlace = (change) => (layer, size, numbers) => {
    const changed = change(layer, numbers);
    const apply = (input, images) => {
      changed(input, images * count(size));
      return input;
    };
    return { size, run: apply };
  };

  const each = (compute) => inPlace((layer) => (values, n) => {
    for (let k = 0; k < n; k += 1) values[k] = compute(values[k]);
  });

  function scale({ shape: [channels] }, numbers) {
    const [factors, summands] = [numbers.floats(channels), numbers.floats(channels)];
    return (values, n) => {
      for (let k = 0; k < n; k += channels) {
        for (let channel = 0; channel < channels; channel += 1) {
          values[k + channel] = values[k + channel] * factors[channel] + summands[channel];
        }
      }
    };
  }

  function rectifier({ slope }) {
    return (values, n) => {
      for (let k = 0; k < n; k += 1) if (values[k] < 0) values[k] *= slope;
    };
  }

  function unflatten({ shape: [channels, height, width] }) {
    const size = [height, width, channels];
    const made = memory(size);
    const apply = (input, images) => {
      const output = made(images);
      for (let image = 0; image < images; image += 1) {
        const at = image * count(size);
        for (let channel = 0; channel < channels; channel += 1) {
          for (let place = 0; place < height * width; place += 1) {
            output[at + place * channels + channel] = input[at + channel * height * width + place];
          }
        }
      }
      return output;
    };
    return { size, run: apply };
  }

  function pad({ shape: [left, right, top, bottom] }, [height, width, channels]) {
    const size = [top + height + bottom, left + width + right, channels];
    const made = memory(size);
    const apply = (input, images) => {
      const output = made(images).fill(0); // a layer after this one may have changed the margins
      for (let row = 0; row < images * height; row += 1) {
        const [image, line] = [Math.floor(row / height), row % height];
        const to = ((image * size[0] + top + line) * size[1] + left) * channels;
        output.set(input.subarray(row * width * channels, (row + 1) * width * channels), to);
      }
      return output;
    };
    return { size, run: apply };
  }

  const KINDS = {
    linear,
    conv: convolution(false),
    conv_transpose: convolution(true),
    images: ({ shape: [channels, height, width] }) => ({ size: [height, width, channels], run: (input) => input }),
    unflatten,
    pad,
    scale: inPlace(scale),
    relu: inPlace(rectifier),
    leaky_relu: inPlace(rectifier),
    tanh: each(Math.tanh),
    sigmoid: each((value) => 1 / (1 + Math.exp(-value))),
  };

  return class {
    /** From the layers of a generator.json, whose input is a row of `width` numbers, and the base64 text of its generator.bin. */
    static async read(layers, width, base64) {
      return new this(layers, width, await unpacked(base64));
    }

    constructor(layers, width, numbers) {
      let size = [1, 1, width];
      this.width = width;
      this.layers = layers.map((layer) => {
        const made = KINDS[layer.kind](layer, size, numbers);
        size = made.size;
        return made;
      });
      this.size = size; // height, width, channels of an image
    }

    /**
     * The images of some rows of latents, one after another in a Float32Array: height x width x channels each, in [-1, 1].
     * The next call overwrites them.
     */
    images(rows) {
      const n = rows.length / this.width;
      const first = Float32Array.from(rows);
      return this.layers.reduce((values, layer) => layer.run(values, n), first).subarray(0, n * count(this.size));
    }
  };
})();
