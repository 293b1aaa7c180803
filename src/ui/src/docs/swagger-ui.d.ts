/** What is used of Swagger UI, which comes without types. */
declare module "swagger-ui-dist/swagger-ui-es-bundle.js" {
  export interface Immutable {
    getIn(path: readonly string[]): unknown;
  }

  export interface Options {
    domNode: Element;
    url: string;
    deepLinking: boolean;
    displayRequestDuration: boolean;
    filter: boolean;
    docExpansion: "list" | "full" | "none";
    defaultModelsExpandDepth: number;
    validatorUrl: null;
    plugins: readonly object[];
    requestInterceptor?: (request: { url: string }) => unknown;
    onComplete?: () => void;
  }

  export default function SwaggerUI(options: Options): unknown;
}
