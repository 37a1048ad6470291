package api

// The generator and its modules stand in oapi.mod, so that they reach nobody who imports attune.
//
//go:generate go tool -modfile=oapi.mod oapi-codegen -config internal/server/config.yaml openapi.yaml
//go:generate go tool -modfile=oapi.mod oapi-codegen -config client/config.yaml openapi.yaml
