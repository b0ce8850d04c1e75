/** A framework that serves, or can be made to serve, a description of its API. */
export interface Framework {
  readonly name: string;
  /** Names of manifest files, and what one of them has to hold. */
  readonly manifest: RegExp;
  readonly holds: RegExp;
  /** Where its development server listens, and where it has the description, the usual one first. */
  readonly ports: readonly number[];
  readonly paths: readonly string[];
}

const PYTHON = /^(requirements[\w.-]*\.txt|pyproject\.toml|Pipfile|setup\.(py|cfg)|environment\.ya?ml)$/;
const NODE = /^package\.json$/;
const JVM = /^(pom\.xml|build\.gradle(\.kts)?|libs\.versions\.toml)$/;
const DOTNET = /\.(cs|fs)proj$|^Directory\.Packages\.props$/;

export const FRAMEWORKS: readonly Framework[] = [
  { name: 'FastAPI', manifest: PYTHON, holds: /\bfastapi\b/i, ports: [8000], paths: ['/openapi.json'] },
  {
    name: 'Django REST framework',
    manifest: PYTHON,
    holds: /\b(drf-spectacular|drf-yasg|djangorestframework|django-ninja)\b/i,
    ports: [8000],
    paths: ['/api/schema/', '/schema/', '/api/openapi.json', '/swagger.json'],
  },
  {
    name: 'Flask',
    manifest: PYTHON,
    holds: /\bflask\b|\bapiflask\b/i,
    ports: [5000],
    paths: ['/openapi.json', '/swagger.json', '/apispec_1.json'],
  },
  {
    name: 'NestJS',
    manifest: NODE,
    holds: /"@nestjs\/swagger"/,
    ports: [3000],
    paths: ['/api-json', '/docs-json', '/swagger-json', '/api/docs-json'],
  },
  {
    name: 'Fastify',
    manifest: NODE,
    holds: /"@fastify\/swagger(-ui)?"/,
    ports: [3000],
    paths: ['/documentation/json', '/docs/json', '/openapi.json'],
  },
  {
    name: 'Express',
    manifest: NODE,
    holds: /"swagger-(jsdoc|ui-express)"|"express-openapi[\w-]*"|"tsoa"/,
    ports: [3000, 8080],
    paths: ['/api-docs.json', '/swagger.json', '/openapi.json', '/api-docs/swagger.json'],
  },
  {
    name: 'Hono',
    manifest: NODE,
    holds: /"@hono\/zod-openapi"|"hono-openapi"/,
    ports: [3000, 8787],
    paths: ['/doc', '/openapi', '/openapi.json'],
  },
  {
    name: 'Spring',
    manifest: JVM,
    holds: /springdoc-openapi|springfox/,
    ports: [8080],
    paths: ['/v3/api-docs', '/v2/api-docs'],
  },
  {
    name: 'Quarkus',
    manifest: JVM,
    holds: /quarkus-smallrye-openapi/,
    ports: [8080],
    paths: ['/q/openapi', '/openapi'],
  },
  {
    name: 'Micronaut',
    manifest: JVM,
    holds: /micronaut-openapi/,
    ports: [8080],
    paths: ['/swagger/openapi.yml', '/openapi.json'],
  },
  {
    name: 'ASP.NET',
    manifest: DOTNET,
    holds: /Swashbuckle\.AspNetCore|NSwag\.AspNetCore/,
    ports: [5000, 5062, 8080],
    paths: ['/swagger/v1/swagger.json'],
  },
  {
    name: 'ASP.NET',
    manifest: DOTNET,
    holds: /Microsoft\.AspNetCore\.OpenApi/,
    ports: [5000, 5062, 8080],
    paths: ['/openapi/v1.json'],
  },
  {
    name: 'Rails',
    manifest: /^Gemfile$/,
    holds: /\brswag\b/,
    ports: [3000],
    paths: ['/api-docs/v1/swagger.yaml', '/api-docs/v1/swagger.json'],
  },
  {
    name: 'Laravel',
    manifest: /^composer\.json$/,
    holds: /dedoc\/scramble|darkaonline\/l5-swagger/,
    ports: [8000],
    paths: ['/docs/api.json', '/docs', '/docs/api-docs.json'],
  },
  {
    name: 'Go',
    manifest: /^go\.mod$/,
    holds: /swaggo\/|danielgtaylor\/huma/,
    ports: [8080, 8888],
    paths: ['/swagger/doc.json', '/openapi.json', '/openapi.yaml'],
  },
  {
    name: 'Rust',
    manifest: /^Cargo\.toml$/,
    holds: /\butoipa\b|\baide\b/,
    ports: [8080, 3000],
    paths: ['/api-docs/openapi.json', '/api-doc/openapi.json', '/openapi.json'],
  },
];

/** What is asked where no framework is recognised, besides what the recognised ones use. */
export const COMMON_PORTS: readonly number[] = [8000, 3000, 8080, 5000];
export const COMMON_PATHS: readonly string[] = ['/openapi.json', '/openapi.yaml', '/swagger.json', '/v3/api-docs'];
/** Pages of Swagger UI and ReDoc, which say where the description is; what they say may be relative to the page. */
export const PAGE_PATHS: readonly string[] = ['/docs/', '/swagger/', '/swagger-ui/index.html', '/api-docs/', '/redoc'];

/** Whether a file could be the manifest of a framework. */
export function isManifestName(name: string): boolean {
  return FRAMEWORKS.some(({ manifest }) => manifest.test(name));
}

/** The frameworks that manifests speak of. */
export function recognizeFrameworks(
  manifests: readonly { readonly name: string; readonly text: string }[],
): Framework[] {
  return FRAMEWORKS.filter(({ manifest, holds }) =>
    manifests.some(({ name, text }) => manifest.test(name) && holds.test(text)),
  );
}

/** More addresses than these has no page. */
const MAX_ADDRESSES = 10;

/**
 * The addresses, on the page's own origin, at which a Swagger UI or ReDoc page (or its initializer) finds the
 * description; scripts that may say so are given apart.
 */
export function addressesInPage(
  text: string,
  pageUrl: string,
): { readonly specs: readonly string[]; readonly scripts: readonly string[] } {
  const specs = [...text.matchAll(/\b(?:url|spec-url|specUrl|openapi-url)["']?\s*[:=]\s*["']([^"'\s<>]{1,500})["']/gi)];
  const scripts = [...text.matchAll(/<script[^>]{0,200}\bsrc=["']([^"'\s<>]{1,500}(?:initializer|init)\.js)["']/gi)];
  const origin = new URL(pageUrl).origin;
  const resolved = (matches: readonly RegExpExecArray[]): string[] => {
    const found = matches.flatMap((match) => {
      const url = URL.parse(match[1] ?? '', pageUrl);
      return url?.origin === origin ? [url.href] : [];
    });
    return [...new Set(found)].slice(0, MAX_ADDRESSES);
  };
  return { specs: resolved(specs), scripts: resolved(scripts) };
}
