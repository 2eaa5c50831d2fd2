/* The same as `curve.ts` on a GPU: what the drawer drew is taken whole, and drawn anew over it. */
import type { ColourTable, Tuning } from './curve'

const VERTEX = `#version 300 es
out vec2 place;
void main() {
  vec2 corner = vec2(float(gl_VertexID & 1) * 2.0, float(gl_VertexID >> 1) * 2.0);
  place = vec2(corner.x, 1.0 - corner.y);
  gl_Position = vec4(corner * 2.0 - 1.0, 0.0, 1.0);
}`

const FRAGMENT = `#version 300 es
precision highp float;
precision highp sampler3D;
uniform sampler2D picture;
uniform sampler3D table;
uniform float side;
uniform vec3 tuning;
in vec2 place;
out vec4 colour;
void main() {
  vec4 drawn = texture(picture, place);
  vec3 c = drawn.rgb;
  if (side > 0.0) c = clamp(texture(table, (c * (side - 1.0) + 0.5) / side).rgb, 0.0, 1.0);
  c = (pow(c, vec3(1.0 / tuning.z)) - 0.5) * tuning.y + 0.5 + tuning.x;
  colour = vec4(clamp(c, 0.0, 1.0) * drawn.a, drawn.a);
}`

function compile(gl: WebGL2RenderingContext, kind: number, text: string): WebGLShader {
  const shader = gl.createShader(kind)
  if (!shader) throw new Error('no shader')
  gl.shaderSource(shader, text)
  gl.compileShader(shader)
  return shader
}

function link(gl: WebGL2RenderingContext): WebGLProgram {
  const program = gl.createProgram()
  gl.attachShader(program, compile(gl, gl.VERTEX_SHADER, VERTEX))
  gl.attachShader(program, compile(gl, gl.FRAGMENT_SHADER, FRAGMENT))
  gl.linkProgram(program)
  if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new Error('no program')
  return program
}

function texture(gl: WebGL2RenderingContext, unit: number, kind: number, filter: number): void {
  gl.activeTexture(gl.TEXTURE0 + unit)
  gl.bindTexture(kind, gl.createTexture())
  gl.texParameteri(kind, gl.TEXTURE_MIN_FILTER, filter)
  gl.texParameteri(kind, gl.TEXTURE_MAG_FILTER, filter)
  for (const way of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T, gl.TEXTURE_WRAP_R])
    if (way !== gl.TEXTURE_WRAP_R || kind === gl.TEXTURE_3D) gl.texParameteri(kind, way, gl.CLAMP_TO_EDGE)
}

/** One canvas' context. When it is lost, another one is made for another canvas. */
export class ColourShader {
  private readonly gl: WebGL2RenderingContext
  private readonly at: (name: string) => WebGLUniformLocation | null
  private table: ColourTable | null = null

  /** @throws where there is no WebGL 2 */
  constructor(readonly canvas: HTMLCanvasElement) {
    const gl = canvas.getContext('webgl2', {
      alpha: true,
      antialias: false,
      depth: false,
      stencil: false,
      // a snapshot takes what was drawn last
      preserveDrawingBuffer: true,
    })
    if (!gl) throw new Error('no WebGL 2')
    this.gl = gl
    const program = link(gl)
    gl.useProgram(program)
    this.at = (name) => gl.getUniformLocation(program, name)
    texture(gl, 0, gl.TEXTURE_2D, gl.NEAREST)
    texture(gl, 1, gl.TEXTURE_3D, gl.LINEAR)
    // a GPU wants one there also while nobody looks anything up
    gl.texImage3D(gl.TEXTURE_3D, 0, gl.RGBA, 1, 1, 1, 0, gl.RGBA, gl.UNSIGNED_BYTE, null)
    gl.uniform1i(this.at('picture'), 0)
    gl.uniform1i(this.at('table'), 1)
  }

  /** False when the GPU is gone. */
  draw(drawn: HTMLCanvasElement, tuning: Tuning, table: ColourTable | null): boolean {
    const { gl, canvas } = this
    if (gl.isContextLost()) return false
    if (canvas.width !== drawn.width || canvas.height !== drawn.height) {
      canvas.width = drawn.width
      canvas.height = drawn.height
    }
    gl.viewport(0, 0, canvas.width, canvas.height)
    if (table && table !== this.table) this.load(table)
    gl.activeTexture(gl.TEXTURE0)
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, drawn)
    gl.uniform1f(this.at('side'), table && tuning.corrected ? table.side : 0)
    gl.uniform3f(this.at('tuning'), tuning.brightness, tuning.contrast, tuning.gamma)
    gl.drawArrays(gl.TRIANGLES, 0, 3)
    return !gl.isContextLost()
  }

  close(): void {
    this.gl.getExtension('WEBGL_lose_context')?.loseContext()
  }

  private load(table: ColourTable): void {
    const { gl } = this
    const { side, halves } = table
    gl.activeTexture(gl.TEXTURE1)
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 2)
    gl.texImage3D(gl.TEXTURE_3D, 0, gl.RGB16F, side, side, side, 0, gl.RGB, gl.HALF_FLOAT, halves)
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 4)
    this.table = table
  }
}
