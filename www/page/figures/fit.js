// @ts-check
// Straight lines through points: least squares with features (x, 1), and its merge by RegMean.
//
// G = XᵀX and r = Xᵀy; a line w = (slope, offset) solves G w = r. RegMean knows every G and w but
// no point: w = (Σ G)⁻¹ Σ G w, which is the fit on all points together.

/** @typedef {{ x: number, y: number }} Point */
/** A symmetric 2 × 2 matrix. @typedef {{ xx: number, x1: number, n: number }} Gram */
/** @typedef {{ slope: number, offset: number }} Line */

/** @param {Point[]} points @returns {Gram} */
export function gramOf(points) {
  const sum = (/** @type {(point: Point) => number} */ f) =>
    points.reduce((total, point) => total + f(point), 0);
  return { xx: sum((p) => p.x * p.x), x1: sum((p) => p.x), n: points.length };
}

/** Solves G w = r. @param {Gram} gram @param {number} rx @param {number} r1 @returns {Line} */
export function solve({ xx, x1, n }, rx, r1) {
  const determinant = xx * n - x1 * x1;
  return { slope: (rx * n - r1 * x1) / determinant, offset: (xx * r1 - x1 * rx) / determinant };
}

/** @param {Point[]} points @returns {Line} */
export function fit(points) {
  const rx = points.reduce((sum, p) => sum + p.x * p.y, 0);
  const r1 = points.reduce((sum, p) => sum + p.y, 0);
  return solve(gramOf(points), rx, r1);
}

/** @param {{ gram: Gram, line: Line }[]} models @returns {Line} */
export function regmean(models) {
  const total = { xx: 0, x1: 0, n: 0 };
  let rx = 0;
  let r1 = 0;
  for (const { gram, line } of models) {
    total.xx += gram.xx;
    total.x1 += gram.x1;
    total.n += gram.n;
    rx += gram.xx * line.slope + gram.x1 * line.offset;
    r1 += gram.x1 * line.slope + gram.n * line.offset;
  }
  return solve(total, rx, r1);
}

/** @param {Line[]} lines @returns {Line} */
export function mean(lines) {
  const slope = lines.reduce((sum, line) => sum + line.slope, 0) / lines.length;
  return { slope, offset: lines.reduce((sum, line) => sum + line.offset, 0) / lines.length };
}

/** Mean squared distance of the points from the line, measured upright. @param {Line} line @param {Point[]} points */
export function squaredError({ slope, offset }, points) {
  return points.reduce((sum, { x, y }) => sum + (slope * x + offset - y) ** 2, 0) / points.length;
}
