package api

import (
	"context"
	"errors"
	"slices"
	"strconv"

	"github.com/attune-go/attune/runtime/answer"
	"github.com/attune-go/attune/runtime/api/internal/server"
	"github.com/attune-go/attune/schema/metadata"
	"github.com/attune-go/attune/schema/store"
	"github.com/attune-go/attune/schema/version"
)

// ListRuntimes implements the operation listRuntimes.
func (a *API) ListRuntimes(ctx context.Context, r server.ListRuntimesRequestObject) (server.ListRuntimesResponseObject, error) {
	c := callOf(ctx)
	limit, err := limitOf(c, r.Params.Limit)
	if err != nil {
		return nil, err
	}
	after, err := c.position(r.Params.After)
	if err != nil {
		return nil, err
	}
	defs, err := a.definitions(ctx)
	if err != nil {
		return nil, err
	}
	revision, tagged := defs.revision()
	if tagged = tagged && r.Params.Name == ""; tagged { // a name may be one that workers reported
		if err := c.tag(revision); err != nil {
			return nil, err
		}
	}
	list := server.ListRuntimes200JSONResponse{Items: []answer.RuntimeRow{}, Retired: defs.retired}
	page := answer.RuntimesQuery{Pack: r.Params.Pack, After: after, Limit: limit + 1}.Page(defs.list)
	if r.Params.Name != "" {
		found, err := a.meant(ctx, r.Params.Name)
		if err != nil {
			return nil, err
		}
		if page = nil; found != nil && found.Definition != nil {
			page = answer.RuntimesQuery{Pack: r.Params.Pack, After: after}.Page([]metadata.Definition{*found.Definition})
		} else if found != nil && r.Params.Pack == "" && after == "" {
			list.Items = append(list.Items, answer.RuntimeRow{
				Ref: found.Ref, Name: found.Name, Also: []string{}, Roles: []metadata.Role{}, Verification: answer.NotVerifiable,
				Steps: []answer.VerificationStep{},
			})
		}
	}
	if len(page) > limit {
		page = page[:limit]
		list.Next = c.next(page[limit-1].Ref)
	}
	for i := range page {
		row := answer.RuntimeRowOf(&page[i], a.store.Layout().Guest())
		if slices.Contains(r.Params.Include, server.ListRuntimesParamsIncludeDefinition) {
			row.Definition = &page[i]
		}
		list.Items = append(list.Items, row)
	}
	if !tagged {
		if err := c.tag(list.Items, list.Next, list.Retired); err != nil {
			return nil, err
		}
	}
	list.Now, err = a.store.Now(ctx)
	return list, err
}

// meant returns the runtime that is meant by a name, or nil.
func (a *API) meant(ctx context.Context, name string) (*answer.RuntimeTerm, error) {
	defs, err := a.definitions(ctx)
	if err != nil {
		return nil, err
	}
	term := answer.RuntimeTerm{Written: name}
	if err := term.Resolve(ctx, a.store, defs.index); errors.As(err, new(*answer.UnknownRuntimeError)) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	return &term, nil
}

// definition returns the definition with a ref.
func (a *API) definition(ctx context.Context, ref string) (*metadata.Definition, error) {
	defs, err := a.definitions(ctx)
	if err != nil {
		return nil, err
	}
	for i := range defs.list {
		if defs.list[i].Ref == ref {
			return &defs.list[i], nil
		}
	}
	return nil, &problem{kind: NotFound, detail: "no runtime has this ref"}
}

// GetRuntime implements the operation getRuntime.
func (a *API) GetRuntime(ctx context.Context, r server.GetRuntimeRequestObject) (server.GetRuntimeResponseObject, error) {
	def, err := a.definition(ctx, r.Ref)
	if err != nil {
		return nil, err
	}
	return server.GetRuntime200JSONResponse(*def), callOf(ctx).tag(def)
}

// ListRuntimeVersions implements the operation listRuntimeVersions. A runtime without a definition
// may still be on workers.
func (a *API) ListRuntimeVersions(
	ctx context.Context, r server.ListRuntimeVersionsRequestObject,
) (server.ListRuntimeVersionsResponseObject, error) {
	c := callOf(ctx)
	limit, err := limitOf(c, r.Params.Limit)
	if err != nil {
		return nil, err
	}
	after, err := c.position(r.Params.After)
	if err != nil {
		return nil, err
	}
	versions, err := answer.VersionsOf(ctx, a.store, r.Ref)
	if err != nil {
		return nil, err
	}
	if len(versions) == 0 {
		if _, err := a.definition(ctx, r.Ref); err != nil {
			return nil, err
		}
	}
	list := server.ListRuntimeVersions200JSONResponse{}
	page := versionsBehind(versions, after)
	if len(page) > limit {
		page = page[:limit]
		list.Next = c.next(page[limit-1].Version)
	}
	list.Items = page
	if err := c.tag(list.Items, list.Next); err != nil {
		return nil, err
	}
	list.Now, err = a.store.Now(ctx)
	return list, err
}

// versionsBehind returns the versions behind one, which no worker may have any more. Empty returns all.
func versionsBehind(list []answer.VersionCount, after string) []answer.VersionCount {
	if after == "" {
		return list
	}
	if i := slices.IndexFunc(list, func(v answer.VersionCount) bool { return v.Version == after }); i >= 0 {
		return list[i+1:]
	}
	last, _ := version.Parse(after) // an unknown version is behind all others
	i := slices.IndexFunc(list, func(v answer.VersionCount) bool {
		one, err := version.Parse(v.Version)
		return err != nil || one.Compare(last) < 0
	})
	if i < 0 {
		return []answer.VersionCount{}
	}
	return list[i:]
}

// GetMatrix implements the operation getMatrix.
func (a *API) GetMatrix(ctx context.Context, r server.GetMatrixRequestObject) (server.GetMatrixResponseObject, error) {
	c, p := callOf(ctx), r.Params
	var q answer.MatrixQuery
	if _, err := a.page(ctx, &q.Workers, p.Prereleases, p.Limit, p.After); err != nil {
		return nil, err
	}
	var err error
	if q.Runtimes, err = a.columns(ctx, p.Runtime); err != nil {
		return nil, err
	}
	m, err := answer.MatrixOf(ctx, a.store, q)
	if err != nil {
		return nil, err
	}
	matrix := server.GetMatrix200JSONResponse{Runtimes: m.Runtimes, Items: m.Items, Next: c.next(m.Next)}
	if err := c.tag(m); err != nil {
		return nil, err
	}
	matrix.Now, err = a.store.Now(ctx)
	return matrix, err
}

// GetMatrixGroups implements the operation getMatrixGroups.
func (a *API) GetMatrixGroups(ctx context.Context, r server.GetMatrixGroupsRequestObject) (server.GetMatrixGroupsResponseObject, error) {
	c := callOf(ctx)
	defs, err := a.definitions(ctx)
	if err != nil {
		return nil, err
	}
	counts, age, err := a.groupCounts(ctx, r.Params.By, takesOld(c.request))
	if err != nil {
		return nil, err
	}
	m := counts.Matrix(defs.list)
	c.header.Set("Age", strconv.Itoa(int(age.Seconds())))
	if err := c.tag(m); err != nil {
		return nil, err
	}
	now, err := a.store.Now(ctx)
	return server.GetMatrixGroups200JSONResponse{By: m.By, Runtimes: m.Runtimes, Items: m.Items, Now: now}, err
}

// ListPacks implements the operation listPacks.
func (a *API) ListPacks(ctx context.Context, r server.ListPacksRequestObject) (server.ListPacksResponseObject, error) {
	c := callOf(ctx)
	limit, err := limitOf(c, r.Params.Limit)
	if err != nil {
		return nil, err
	}
	after, err := c.position(r.Params.After)
	if err != nil {
		return nil, err
	}
	rows, err := a.store.Packs.List(ctx, store.Page{After: after, Limit: limit + 1})
	if err != nil {
		return nil, err
	}
	list := server.ListPacks200JSONResponse{Items: []server.Pack{}}
	if len(rows) > limit {
		rows = rows[:limit]
		list.Next = c.next(rows[limit-1].Ref)
	}
	for i := range rows {
		row := &rows[i]
		pack := server.Pack{
			Ref: row.Ref, Label: row.Label, Version: row.Version, Tags: row.Tags, RuntimeDeps: row.RuntimeDeps,
			IsStandard: row.IsStandard, Created: row.Created, Updated: row.Updated,
		}
		if row.Description != nil {
			pack.Description = *row.Description
		}
		list.Items = append(list.Items, pack)
	}
	if err := c.tag(list.Items, list.Next); err != nil {
		return nil, err
	}
	list.Now, err = a.store.Now(ctx)
	return list, err
}
