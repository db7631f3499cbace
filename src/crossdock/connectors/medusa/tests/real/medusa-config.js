// An unmodified Medusa on loopback, its dashboard not built. What changes from run to run comes from the test.
const { defineConfig } = require('@medusajs/framework/utils');

const site = 'http://127.0.0.1';

module.exports = defineConfig({
    projectConfig: {
        databaseUrl: process.env.REAL_DATABASE_URL,
        databaseDriverOptions: { ssl: false },
        http: {
            storeCors: site,
            adminCors: site,
            authCors: site,
            jwtSecret: process.env.REAL_SECRET,
            cookieSecret: process.env.REAL_SECRET,
        },
    },
    admin: { disable: true },
});
