// The text format of Prometheus (exposition format 0.0.4) as samples, and what the buckets of a histogram say.

// One sample of each line: name, labels, value; comments, time stamps and exemplars are left out.
export function parse(text) {
  const samples = [];
  for (const line of text.split("\n")) {
    if (!line || line.startsWith("#")) continue;
    const found = /^([a-zA-Z_:][a-zA-Z0-9_:]*)/.exec(line);
    if (!found) continue;
    let at = found[0].length;
    const labels = {};
    if (line[at] === "{") at = readLabels(line, at + 1, labels);
    const value = line.slice(at).trim().split(/\s+/)[0];
    if (value) samples.push({ name: found[0], labels, value: number(value) });
  }
  return samples;
}

// Returns where the labels end.
function readLabels(line, from, labels) {
  const label = /\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*,?/y;
  label.lastIndex = from;
  let end = from;
  for (let one = label.exec(line); one; one = label.exec(line)) {
    labels[one[1]] = one[2].replace(/\\(.)/g, (_, letter) => (letter === "n" ? "\n" : letter));
    end = label.lastIndex;
  }
  return line.indexOf("}", end) + 1 || line.length;
}

const number = (text) => (text === "+Inf" ? Infinity : text === "-Inf" ? -Infinity : Number(text));

// The histograms of a name by the values of some labels: upper edges, how many values are in each bucket, count and sum.
export function histograms(samples, name, keys) {
  const found = new Map();
  for (const one of samples) {
    const part = one.name === `${name}_bucket` ? "bucket" : one.name === `${name}_count` ? "count" : one.name === `${name}_sum` ? "sum" : null;
    if (!part) continue;
    const key = JSON.stringify(keys.map((label) => one.labels[label] ?? ""));
    if (!found.has(key)) found.set(key, { labels: JSON.parse(key), edges: [], upTo: [], count: 0, sum: 0 });
    const histogram = found.get(key);
    if (part === "bucket") {
      histogram.edges.push(number(one.labels.le));
      histogram.upTo.push(one.value);
    } else histogram[part] = one.value;
  }
  for (const one of found.values()) {
    const order = one.edges.map((_, index) => index).sort((a, b) => one.edges[a] - one.edges[b]);
    one.edges = order.map((index) => one.edges[index]);
    const upTo = order.map((index) => one.upTo[index]);
    one.buckets = upTo.map((value, index) => value - (index ? upTo[index - 1] : 0));
    delete one.upTo;
  }
  return found;
}

// As `histogram_quantile` of Prometheus: along a straight line within the bucket; the last edge for what lies above it.
export function quantile(share, edges, buckets) {
  const count = buckets.reduce((sum, one) => sum + one, 0);
  if (!count) return null;
  let below = 0;
  for (let index = 0; index < edges.length; index += 1) {
    const inside = buckets[index];
    if (inside && below + inside >= share * count) {
      if (edges[index] === Infinity) return index ? edges[index - 1] : null;
      const lower = index ? edges[index - 1] : 0;
      return lower + ((edges[index] - lower) * (share * count - below)) / inside;
    }
    below += inside;
  }
  return edges.at(-2) ?? null;
}

// What has been added since an earlier reading; all of it when the counters have restarted.
export function increase(now, before) {
  if (!before || now.count < before.count || now.edges.length !== before.edges.length) return now;
  return {
    ...now,
    count: now.count - before.count,
    sum: now.sum - before.sum,
    buckets: now.buckets.map((value, index) => value - before.buckets[index]),
  };
}
