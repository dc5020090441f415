// One user per service, for its own database only. Runs once, when the volume is empty.
for (const name of ["registry", "dispatcher", "audit"]) {
    db.getSiblingDB(name).createUser({
        user: name,
        pwd: process.env[name.toUpperCase() + "_PASSWORD"],
        roles: [{ role: "readWrite", db: name }],
    });
}
