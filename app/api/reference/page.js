// Draws the OpenAPI document of this service. Nothing is loaded from elsewhere, and the API key
// that a reader enters is kept in the page's memory alone.
SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#reference",
  deepLinking: true,
  filter: true,
  showExtensions: true,
  defaultModelsExpandDepth: 0,
  validatorUrl: null,
  persistAuthorization: false,
});
