/** Models as files: the one that is made behind a scan, and those that others have made of it. */

import { Box3, BufferAttribute, Group, Mesh, MeshLambertMaterial, PerspectiveCamera, Points, PointsMaterial, Sphere, TextureLoader, Vector3 } from "three";
import type { BufferGeometry, Material, Object3D } from "three";
import { GLTFLoader } from "three/examples/jsm/loaders/GLTFLoader.js";
import { PLYLoader } from "three/examples/jsm/loaders/PLYLoader.js";

import { middle, ramp } from "./model-space";
import type { Painted } from "./model-space";

/** What a file is: the model that is made behind a scan, or one of another program. */
export type Form = "preview" | "glb" | "ply";

/** A model that was read, until it is disposed of. */
export interface Model {
  object: Object3D;
  /** What is to be seen of it. */
  sphere: Sphere;
  /** The cameras that the file has. */
  stations: readonly PerspectiveCamera[];
  paint(painted: Painted): void;
  dispose(): void;
}

/** Those of other programs have any size: they are shown as large as an object on the table, in metres. */
const RADIUS = 0.1;
/** Of so many points, it is looked where most of them are. */
const LOOKED_AT = 20_000;

export async function read(url: string, form: Form): Promise<Model> {
  switch (form) {
    case "preview":
      return preview((await new GLTFLoader().loadAsync(url)).scene);
    case "glb":
      return foreign(await glb(url));
    case "ply":
      return foreign(await ply(url));
  }
}

function preview(scene: Object3D): Model {
  scene.updateMatrixWorld(true);
  const stations: PerspectiveCamera[] = [];
  let geometry: BufferGeometry | null = null;
  scene.traverse((part) => {
    if (part instanceof Mesh) geometry = (part as Mesh).geometry;
    if (part instanceof PerspectiveCamera) stations.push(part);
  });
  if (!geometry) throw new Error("the file has no model");
  const shape: BufferGeometry = geometry;
  shape.computeBoundingSphere();
  const colours = {
    photographs: shape.getAttribute("color") as BufferAttribute,
    coverage: new BufferAttribute(ramp(shape.getAttribute("_coverage").array), 3),
  };
  const object = new Mesh(shape, new MeshLambertMaterial({ vertexColors: true }));
  return {
    object,
    sphere: shape.boundingSphere ?? new Sphere(),
    stations,
    paint: (painted) => void shape.setAttribute("color", colours[painted]),
    dispose: () => dispose(object),
  };
}

async function glb(url: string): Promise<Object3D> {
  const loader = new GLTFLoader();
  // The page's policy lets pictures in the file be shown, but not be asked for as a page asks for data.
  loader.register((parser) => {
    parser.textureLoader = new TextureLoader(parser.options.manager);
    return { name: "pictures" };
  });
  return (await loader.loadAsync(url)).scene;
}

async function ply(url: string): Promise<Object3D> {
  const geometry = await new PLYLoader().loadAsync(url);
  const vertexColors = geometry.hasAttribute("color");
  const object = geometry.index
    ? new Mesh(geometry, new MeshLambertMaterial({ vertexColors, side: 2 }))
    : new Points(geometry, new PointsMaterial({ vertexColors, size: 2, sizeAttenuation: false }));
  if (geometry.index && !geometry.hasAttribute("normal")) geometry.computeVertexNormals();
  // Programs that reconstruct have z up, as the rig has.
  object.rotation.x = -Math.PI / 2;
  return object;
}

function foreign(read: Object3D): Model {
  read.updateMatrixWorld(true);
  const { centre, radius } = extent(read);
  if (!(radius > 0) || !Number.isFinite(radius)) throw new Error("the file has no model");
  const object = new Group();
  object.add(read);
  object.scale.setScalar(RADIUS / radius);
  object.position.copy(centre).multiplyScalar(-RADIUS / radius);
  return { object, sphere: new Sphere(new Vector3(), RADIUS), stations: [], paint: () => undefined, dispose: () => dispose(object) };
}

/** Where it is, and how large: of points where most of them are, since a few are always far off. */
function extent(read: Object3D): { centre: Vector3; radius: number } {
  if (!(read instanceof Points)) {
    const sphere = new Box3().setFromObject(read).getBoundingSphere(new Sphere());
    return { centre: sphere.center, radius: sphere.radius };
  }
  const places = (read as Points).geometry.getAttribute("position");
  const step = Math.max(1, Math.ceil(places.count / LOOKED_AT));
  const points: Vector3[] = [];
  for (let index = 0; index < places.count; index += step) points.push(new Vector3().fromBufferAttribute(places, index));
  const { centre, reach } = middle(points);
  const at = new Vector3(centre.x, centre.y, centre.z);
  return { centre: at.applyMatrix4(read.matrixWorld), radius: reach };
}

function dispose(object: Object3D): void {
  object.traverse((part) => {
    if (!(part instanceof Mesh || part instanceof Points)) return;
    part.geometry.dispose();
    const materials = [part.material].flat() as Material[];
    for (const material of materials) {
      for (const value of Object.values(material)) if (value?.isTexture) value.dispose();
      material.dispose();
    }
  });
}
