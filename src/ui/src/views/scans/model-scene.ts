/**
 * The model of the object in 3D, with the cameras around it. Loaded when somebody looks at one: three.js is as large as all the
 * rest of the page.
 */

import { BufferGeometry, Color, DirectionalLight, HemisphereLight, LineBasicMaterial, LineSegments, PerspectiveCamera, Scene, Spherical, Vector3, WebGLRenderer } from "three";
import { OrbitControls } from "three/examples/jsm/controls/OrbitControls.js";

import { read } from "./model-file";
import type { Form, Model } from "./model-file";
import type { Painted } from "./model-space";

/** How far a camera's frustum is drawn, in metres. */
const FRUSTUM = 0.018;
/** The field of view, from top to bottom, in degrees. */
const FIELD = 40;

/** What is shown on a canvas, until it is disposed of. */
export interface Shown {
  /** Reads the model anew, and shows it from where it was looked at. */
  load(url: string, form: Form): Promise<void>;
  paint(painted: Painted): void;
  cameras(visible: boolean): void;
  /** By so many radians. */
  turn(azimuth: number, elevation: number): void;
  zoom(factor: number): void;
  reset(): void;
  /** Draws with the colours of the page as they are now. */
  restyle(): void;
  dispose(): void;
}

/** @throws where the browser has no WebGL. */
export function show(canvas: HTMLCanvasElement): Shown {
  const renderer = new WebGLRenderer({ canvas, antialias: true, alpha: true });
  renderer.setPixelRatio(Math.min(devicePixelRatio, 2));
  const scene = new Scene();
  const eye = new PerspectiveCamera(FIELD, 1, 0.005, 20);
  const lamp = new DirectionalLight(0xffffff, 1.2);
  lamp.position.set(0.3, 0.6, 1);
  eye.add(lamp);
  scene.add(new HemisphereLight(0xffffff, 0x889099, 2.2), eye);
  const controls = new OrbitControls(eye, canvas);
  controls.enablePan = false;

  let model: Model | null = null;
  let frustums: LineSegments<BufferGeometry, LineBasicMaterial> | null = null;
  let painted: Painted = "photographs";
  let visible = true;
  /** Whether somebody has turned it or come nearer: then it stays so when it is read anew. */
  let turned = false;
  let due = 0;

  const draw = () => {
    due ||= requestAnimationFrame(() => {
      due = 0;
      renderer.render(scene, eye);
    });
  };
  controls.addEventListener("change", draw);
  controls.addEventListener("start", () => (turned = true));

  const fit = () => {
    const { clientWidth: width, clientHeight: height } = canvas;
    if (width === 0 || height === 0) return;
    renderer.setSize(width, height, false);
    eye.aspect = width / height;
    eye.updateProjectionMatrix();
    draw();
  };
  const size = new ResizeObserver(fit);
  size.observe(canvas);

  const drop = () => {
    if (model) scene.remove(model.object);
    if (frustums) scene.remove(frustums);
    model?.dispose();
    frustums?.geometry.dispose();
    frustums?.material.dispose();
    [model, frustums] = [null, null];
  };

  const frame = () => {
    if (!model) return;
    const { sphere } = model;
    controls.target.copy(sphere.center);
    const far = (sphere.radius * 1.1) / Math.sin((FIELD * Math.PI) / 360) / Math.min(1, eye.aspect);
    controls.minDistance = sphere.radius * 0.8;
    controls.maxDistance = far * 4;
    eye.position.setFromSpherical(new Spherical(far, 1.2, 1.1)).add(sphere.center);
    controls.update();
    draw();
  };

  const paint = () => {
    model?.paint(painted);
    if (frustums) frustums.visible = visible;
    draw();
  };

  const restyle = () => {
    frustums?.material.color.set(new Color(getComputedStyle(canvas).color));
    draw();
  };

  const around = (change: (at: Spherical) => void) => {
    turned = true;
    const at = new Spherical().setFromVector3(eye.position.clone().sub(controls.target));
    change(at);
    at.makeSafe();
    at.radius = Math.max(controls.minDistance, Math.min(controls.maxDistance, at.radius));
    eye.position.setFromSpherical(at).add(controls.target);
    controls.update();
    draw();
  };

  return {
    async load(url, form) {
      const found = await read(url, form);
      drop();
      model = found;
      frustums = new LineSegments(lines(found.stations), new LineBasicMaterial({ transparent: true, opacity: 0.75 }));
      scene.add(found.object, frustums);
      restyle();
      paint();
      fit();
      if (!turned) frame();
    },
    paint(wanted) {
      painted = wanted;
      paint();
    },
    cameras(wanted) {
      visible = wanted;
      paint();
    },
    turn: (azimuth, elevation) =>
      around((at) => {
        at.theta -= azimuth;
        at.phi -= elevation;
      }),
    zoom: (factor) => around((at) => (at.radius /= factor)),
    reset() {
      turned = false;
      frame();
    },
    restyle,
    dispose() {
      cancelAnimationFrame(due);
      size.disconnect();
      controls.dispose();
      drop();
      renderer.dispose();
      renderer.forceContextLoss();
    },
  };
}

/** A pyramid for each camera: from its place to the corners of what it sees, and a mark at the upper edge. */
function lines(stations: readonly PerspectiveCamera[]): BufferGeometry {
  const points: Vector3[] = [];
  for (const station of stations) {
    const up = FRUSTUM * Math.tan((station.fov * Math.PI) / 360);
    const across = up * station.aspect;
    const at = (x: number, y: number) => new Vector3(x, y, -FRUSTUM).applyMatrix4(station.matrixWorld);
    const corners = [at(-across, -up), at(across, -up), at(across, up), at(-across, up)];
    const place = new Vector3().setFromMatrixPosition(station.matrixWorld);
    corners.forEach((corner, index) => points.push(place, corner, corner, corners[(index + 1) % 4] ?? corner));
    const top = at(0, up * 1.5);
    points.push(at(-across / 2, up), top, top, at(across / 2, up));
  }
  return new BufferGeometry().setFromPoints(points);
}
