package main

import (
	"context"
	"slices"
	"strings"

	"github.com/attune-go/attune/cmd/internal/cli"
	"github.com/attune-go/attune/runtime/answer"
	"github.com/attune-go/attune/schema/store"
)

// namesAtMost bounds the workers that are read to complete a name or label.
const namesAtMost = 200

// completions returns the runtimes, workers or labels of a database or server that can stand for a placeholder of the
// command line.
func completions(ctx context.Context, env *cli.Env, kind, begin string) []cli.Candidate {
	switch kind {
	case "RUNTIME[@CONSTRAINT]", "REF|NAME":
		kind = "RUNTIME"
	case "NAME|ID|HOST", "HOST":
		kind = "NAME"
	case "KEY[=VALUE]", "KEY=VALUE", "KEY=VALUE[:WEIGHT]":
		kind = "KEY"
	case "RUNTIME", "NAME", "SELECTOR":
	default:
		return nil
	}
	src, err := sourceToLook(ctx, env)
	if err != nil {
		return nil
	}
	defer src.close()
	return namesOf(ctx, src, kind, begin)
}

func namesOf(ctx context.Context, src source, kind, begin string) []cli.Candidate {
	switch kind {
	case "SELECTOR":
		return termNames(ctx, src, begin)
	case "RUNTIME":
		return runtimeNames(ctx, src)
	case "KEY":
		return labelNames(ctx, src)
	}
	return workerNames(ctx, src, begin)
}

// termNames returns terms of selectors.
func termNames(ctx context.Context, src source, begin string) (all []cli.Candidate) {
	key, value, _ := strings.Cut(begin, ":")
	kind := map[string]string{"label": "KEY", "has": "RUNTIME", "lacks": "RUNTIME", "name": "NAME"}[key]
	switch {
	case kind != "" && key != begin:
		for _, c := range namesOf(ctx, src, kind, value) {
			all = append(all, cli.Candidate{Word: key + ":" + c.Word, Help: c.Help})
		}
		return all
	case key == begin:
		for _, key := range []string{"has", "host", "id", "label", "lacks", "role", "silent", "status"} {
			all = append(all, cli.Candidate{Word: key + ":"})
		}
		return append(all, workerNames(ctx, src, begin)...)
	case key == "role":
		return termsOf(key, "worker", "sensor")
	case key == "status":
		return termsOf(key, "active", "inactive", "busy", "error", "stale")
	}
	return nil
}

func runtimeNames(ctx context.Context, src source) (all []cli.Candidate) {
	found, err := src.definitions(ctx)
	if err != nil {
		return nil
	}
	for i := range found.Definitions {
		d := &found.Definitions[i]
		all = append(all, cli.Candidate{Word: d.CapabilityName(), Help: d.Ref}, cli.Candidate{Word: d.Ref, Help: d.Name})
	}
	return all
}

func workerNames(ctx context.Context, src source, begin string) (all []cli.Candidate) {
	q := answer.ListQuery{Selection: store.Selection{Names: []string{begin + "*"}}, Limit: namesAtMost}
	_, err := src.list(ctx, q, func(workers []answer.WorkerItem) error {
		for i := range workers {
			all = append(all, cli.Candidate{Word: workers[i].Name, Help: workers[i].Role})
		}
		return nil
	})
	if err != nil {
		return nil
	}
	return all
}

func labelNames(ctx context.Context, src source) (all []cli.Candidate) {
	var labels []string
	_, err := src.list(ctx, answer.ListQuery{Labels: true, Limit: namesAtMost}, func(workers []answer.WorkerItem) error {
		for i := range workers {
			for key, value := range workers[i].Labels {
				labels = append(labels, key+"="+value)
			}
		}
		return nil
	})
	if err != nil {
		return nil
	}
	slices.Sort(labels)
	for _, label := range slices.Compact(labels) {
		all = append(all, cli.Candidate{Word: label})
	}
	return all
}

func termsOf(key string, values ...string) (all []cli.Candidate) {
	for _, value := range values {
		all = append(all, cli.Candidate{Word: key + ":" + value})
	}
	return all
}
