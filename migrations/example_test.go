package migrations_test

import (
	"context"
	"fmt"
	"log"

	"github.com/attune-go/attune/migrations"
	"github.com/attune-go/attune/schema/database"
	_ "github.com/attune-go/attune/schema/database/sqlite"
)

// A platform applies attune's migrations beside its own. The plan says what would happen.
func Example() {
	ctx := context.Background()
	db, err := database.Open(ctx, database.Memory)
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	migrator, err := migrations.New(db, migrations.Config{})
	if err != nil {
		log.Fatal(err)
	}

	plan, err := migrator.Plan(ctx)
	if err != nil {
		log.Fatal(err)
	}
	for _, m := range plan.Pending {
		fmt.Println("pending", m.ID)
	}
	if _, err := migrator.Up(ctx); err != nil {
		log.Fatal(err)
	}
	status, err := migrator.Status(ctx)
	if err != nil {
		log.Fatal(err)
	}
	for _, m := range status.Migrations {
		fmt.Println("applied", m.ID)
	}
	// Output:
	// pending 20260203000000_baseline
	// pending 20260203000001_unify_runtimes
	// pending 20260310000001_worker_runtime
	// pending 20261128000001_safe_functions
	// pending 20261129000001_fleet
	// pending 20261129000002_worker_labels
	// pending 20261129000003_placement
	// pending 20261129000011_lookups
	// pending 20261129000020_server
	// pending 20261130000001_declarations
	// applied 20260203000000_baseline
	// applied 20260203000001_unify_runtimes
	// applied 20260310000001_worker_runtime
	// applied 20261128000001_safe_functions
	// applied 20261129000001_fleet
	// applied 20261129000002_worker_labels
	// applied 20261129000003_placement
	// applied 20261129000011_lookups
	// applied 20261129000020_server
	// applied 20261130000001_declarations
}
