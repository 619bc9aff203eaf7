import { Value } from 'typebox/value';

type Json = Readonly<Record<string, unknown>>;
/** Tells a fault of the document, at a place in it. */
type Tell = (at: string, fault: string) => void;

const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'];
/** Of parameters in headers: described elsewhere, so that they mean nothing there (Parameter Object). */
const HEADERS_ELSEWHERE = ['accept', 'content-type', 'authorization'];

/** What is wrong with a document, held against OpenAPI 3.1 and JSON Schema 2020-12; nothing when it is valid. */
export function faultsOf(document: unknown): string[] {
  const faults: string[] = [];
  const tell: Tell = (at, fault) => faults.push(`${at}: ${fault}`);
  const root = objectAt(document, '#', tell);
  checkInfo(root, tell);
  checkReferences(root, root, '#', tell);
  const ids = new Map<string, string>();
  const shapes = new Map<string, string>();
  for (const [path, item] of Object.entries(objectAt(root.paths, 'paths', tell))) {
    if (!path.startsWith('/')) tell(path, 'a path begins with a slash');
    once(shapes, path.replaceAll(/\{\w+\}/g, '{}'), path, tell);
    for (const [method, value] of Object.entries(objectAt(item, path, tell))) {
      const at = `${method} ${path}`;
      if (!METHODS.includes(method)) tell(at, 'not a method');
      const operation = objectAt(value, at, tell);
      once(ids, String(operation.operationId), at, tell);
      checkOperation(operation, { at, path, root }, tell);
    }
  }
  return faults;
}

function checkInfo(root: Json, tell: Tell): void {
  if (!/^3\.1\.\d+$/.test(String(root.openapi))) tell('openapi', 'not 3.1');
  const { title, version, license } = objectAt(root.info, 'info', tell);
  if (!isText(title) || !isText(version)) tell('info', 'has a title and a version');
  const { name, identifier, url } = objectAt(license ?? { name: 'none' }, 'license', tell);
  if (!isText(name)) tell('license', 'has a name');
  if (identifier !== undefined && url !== undefined) tell('license', 'identifier or url, not both');
  for (const server of listAt(root.servers ?? [], 'servers', tell))
    if (!isText(objectAt(server, 'servers', tell).url)) tell('servers', 'each has a url');
  const tags = new Map<string, string>();
  for (const tag of listAt(root.tags ?? [], 'tags', tell)) {
    const { name } = objectAt(tag, 'tags', tell);
    if (!isText(name)) tell('tags', 'each has a name');
    once(tags, String(name), 'tags', tell);
  }
}

const OPERATION_FIELDS = [
  'tags',
  'summary',
  'description',
  'operationId',
  'parameters',
  'requestBody',
  'responses',
  'security',
];

function checkOperation(
  operation: Json,
  { at, path, root }: { readonly at: string; readonly path: string; readonly root: Json },
  tell: Tell,
): void {
  onlyFields(operation, OPERATION_FIELDS, at, tell);
  if (!/^[a-z]\w+$/i.test(String(operation.operationId))) tell(at, 'has an operationId');
  checkParameters(listAt(operation.parameters ?? [], at, tell), { at, path }, tell);
  const { components } = root as { readonly components?: { readonly securitySchemes?: Json } };
  for (const requirement of listAt(operation.security ?? [], at, tell)) {
    for (const name of Object.keys(objectAt(requirement, at, tell)))
      if (components?.securitySchemes?.[name] === undefined) tell(at, `no security scheme ${name}`);
  }
  if (operation.requestBody !== undefined) {
    const body = objectAt(operation.requestBody, at, tell);
    onlyFields(body, ['content', 'required', 'description'], `${at} requestBody`, tell);
    checkContent(body.content, `${at} requestBody`, tell);
  }
  const responses = Object.entries(objectAt(operation.responses, at, tell));
  if (responses.length === 0) tell(at, 'has a response');
  for (const [status, value] of responses) {
    const where = `${at} ${status}`;
    if (!/^([1-5]\d\d|[1-5]XX|default)$/.test(status)) tell(where, 'not a status');
    const response = objectAt(value, where, tell);
    onlyFields(response, ['description', 'content', 'headers', 'links'], where, tell);
    if (!isText(response.description)) tell(where, 'has a description');
    if (response.content !== undefined) checkContent(response.content, where, tell);
  }
}

const PARAMETER_FIELDS = ['name', 'in', 'description', 'required', 'schema', 'example', 'style'];

function checkParameters(
  parameters: readonly unknown[],
  { at, path }: { readonly at: string; readonly path: string },
  tell: Tell,
): void {
  const known = new Map<string, string>();
  for (const value of parameters) {
    const parameter = objectAt(value, at, tell);
    const { name, in: place, required, schema, example } = parameter;
    const where = `${at} ${String(place)} ${String(name)}`;
    onlyFields(parameter, PARAMETER_FIELDS, where, tell);
    once(known, `${String(place)} ${String(name)}`, where, tell);
    if (!isText(name)) tell(where, 'has a name');
    if (!['path', 'query', 'header', 'cookie'].includes(String(place))) tell(where, 'not a place');
    if (place === 'header' && HEADERS_ELSEWHERE.includes(String(name).toLowerCase()))
      tell(where, 'a header that is described elsewhere');
    if (place === 'path' && (required !== true || !path.includes(`{${String(name)}}`)))
      tell(where, 'is required, and in the path');
    checkSchema(schema, where, tell);
    checkExample(schema, example, where, tell);
  }
  for (const [, name] of path.matchAll(/\{(\w+)\}/g))
    if (!known.has(`path ${name}`)) tell(at, `does not describe ${name}`);
}

function checkContent(content: unknown, at: string, tell: Tell): void {
  const media = Object.entries(objectAt(content, at, tell));
  if (media.length === 0) tell(at, 'has a media type');
  for (const [type, value] of media) {
    const where = `${at} ${type}`;
    if (!/^[a-z]+\/[\w.+-]+$/.test(type)) tell(where, 'not a media type');
    const { schema, example, ...others } = objectAt(value, where, tell);
    onlyFields(others, ['encoding'], where, tell);
    checkSchema(schema, where, tell);
    checkExample(schema, example, where, tell);
  }
}

const TYPES = ['null', 'boolean', 'object', 'array', 'number', 'string', 'integer'];
const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && Number(value) >= 0;
const isNumber = (value: unknown): boolean => Number.isFinite(value);
const isFlag = (value: unknown): boolean => typeof value === 'boolean';
const isAny = (): boolean => true;
const isTextSet = (value: unknown): boolean =>
  Array.isArray(value) && value.every(isText) && new Set(value).size === value.length;
const isType = (value: unknown): boolean =>
  isTextSet([value].flat()) && [value].flat().every((type) => TYPES.includes(type as string));

/** The keywords of JSON Schema 2020-12 that are no schemas themselves, and what stands behind them. */
const KEYWORDS: Readonly<Record<string, (value: unknown) => boolean>> = {
  $ref: isText,
  type: isType,
  enum: (value) => Array.isArray(value) && value.length > 0,
  const: isAny,
  required: isTextSet,
  minimum: isNumber,
  maximum: isNumber,
  exclusiveMinimum: isNumber,
  exclusiveMaximum: isNumber,
  multipleOf: (value) => isNumber(value) && Number(value) > 0,
  minLength: isCount,
  maxLength: isCount,
  minItems: isCount,
  maxItems: isCount,
  minProperties: isCount,
  maxProperties: isCount,
  uniqueItems: isFlag,
  pattern: isPattern,
  format: isText,
  title: isText,
  description: isText,
  default: isAny,
  deprecated: isFlag,
  readOnly: isFlag,
  writeOnly: isFlag,
  examples: Array.isArray,
  contentEncoding: isText,
  contentMediaType: isText,
};
const ONE_SCHEMA = ['items', 'additionalProperties', 'propertyNames', 'contains', 'not'];
const SCHEMA_LISTS = ['anyOf', 'oneOf', 'allOf', 'prefixItems'];
const SCHEMA_MAPS = ['properties', 'patternProperties', '$defs'];

function checkSchema(given: unknown, at: string, tell: Tell): void {
  if (typeof given === 'boolean') return;
  const schema = objectAt(given, at, tell);
  for (const [keyword, value] of Object.entries(schema)) {
    const where = `${at}/${keyword}`;
    if (ONE_SCHEMA.includes(keyword)) checkSchema(value, where, tell);
    else if (SCHEMA_LISTS.includes(keyword)) {
      const branches = listAt(value, where, tell);
      if (branches.length === 0) tell(where, 'is empty');
      for (const [index, branch] of branches.entries())
        checkSchema(branch, `${where}/${index}`, tell);
    } else if (SCHEMA_MAPS.includes(keyword)) {
      for (const [name, inner] of Object.entries(objectAt(value, where, tell))) {
        if (keyword === 'patternProperties' && !isPattern(name)) tell(where, 'not a pattern');
        checkSchema(inner, `${where}/${name}`, tell);
      }
    } else if (!Object.hasOwn(KEYWORDS, keyword)) tell(where, 'not a keyword');
    else if (!KEYWORDS[keyword]!(value)) tell(where, `cannot be ${JSON.stringify(value)}`);
  }
  for (const example of Array.isArray(schema.examples) ? schema.examples : [])
    checkExample(schema, example, at, tell);
}

/** What a schema describes by itself, without a place that it refers to. */
function checkExample(schema: unknown, example: unknown, at: string, tell: Tell): void {
  if (example === undefined || JSON.stringify(schema).includes('"$ref"')) return;
  if (!Value.Check(schema as object, example)) tell(at, `is not ${JSON.stringify(example)}`);
}

/** Every `$ref` is a pointer (RFC 6901) to something in the document. */
function checkReferences(value: unknown, root: Json, at: string, tell: Tell): void {
  if (typeof value !== 'object' || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    if (key === '$ref' && !leadsSomewhere(inner, root)) tell(at, `${String(inner)} leads nowhere`);
    checkReferences(inner, root, `${at}/${key}`, tell);
  }
}

function leadsSomewhere(pointer: unknown, root: Json): boolean {
  if (typeof pointer !== 'string' || !pointer.startsWith('#/')) return false;
  const keys = pointer.slice(2).split('/');
  const found = keys
    .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce<unknown>((at, key) => (at as Json | undefined)?.[key], root);
  return found !== undefined;
}

function isPattern(value: unknown): boolean {
  try {
    return typeof value === 'string' && new RegExp(value, 'u') instanceof RegExp;
  } catch {
    return false;
  }
}

function once(known: Map<string, string>, name: string, at: string, tell: Tell): void {
  const other = known.get(name);
  if (other !== undefined) tell(at, `${name} is taken by ${other}`);
  known.set(name, at);
}

function onlyFields(given: Json, fields: readonly string[], at: string, tell: Tell): void {
  for (const field of Object.keys(given))
    if (!fields.includes(field) && !field.startsWith('x-')) tell(at, `has no field ${field}`);
}

function objectAt(value: unknown, at: string, tell: Tell): Json {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Json;
  tell(at, 'not an object');
  return {};
}

function listAt(value: unknown, at: string, tell: Tell): readonly unknown[] {
  if (Array.isArray(value)) return value;
  tell(at, 'not a list');
  return [];
}
