// An unmodified Vendure on loopback with its own small world: one country, one zone, one tax rate, one way of shipping, one way of paying.
// REAL_PORT, REAL_DATA (a folder) and, for PostgreSQL, REAL_SOCKET and REAL_DATABASE come from the test; the first start fills the database,
// later ones go on with it.
const fs = require('fs');
const path = require('path');
const { bootstrap, dummyPaymentHandler, defaultConfig } = require('@vendure/core');
const { populate } = require('@vendure/core/cli');

const filled = path.join(process.env.REAL_DATA, 'filled');
const fresh = !fs.existsSync(filled);
const database = process.env.REAL_SOCKET
    ? { type: 'postgres', host: process.env.REAL_SOCKET, port: 5432, username: 'crossdock', database: process.env.REAL_DATABASE }
    : { type: 'better-sqlite3', database: path.join(process.env.REAL_DATA, 'vendure.sqlite') };

const config = {
    apiOptions: { hostname: '127.0.0.1', port: Number(process.env.REAL_PORT), adminApiPath: 'admin-api', shopApiPath: 'shop-api' },
    authOptions: {
        tokenMethod: ['bearer', 'api-key'],
        sessionDuration: process.env.REAL_SESSION || '1y',
        superadminCredentials: { identifier: 'superadmin', password: process.env.REAL_PASSWORD },
        requireVerification: false,
    },
    dbConnectionOptions: { ...database, synchronize: fresh, logging: false },
    paymentOptions: { paymentMethodHandlers: [dummyPaymentHandler] },
    importExportOptions: { importAssetsDir: process.env.REAL_DATA },
    logger: defaultConfig.logger,
    plugins: [],
};

const world = {
    defaultLanguage: 'en',
    defaultZone: 'Everywhere',
    countries: [
        { code: 'US', name: 'United States', zone: 'Everywhere' },
        { code: 'DE', name: 'Germany', zone: 'Everywhere' },
        { code: 'GB', name: 'United Kingdom', zone: 'Everywhere' },
    ],
    taxRates: [{ name: 'No tax', percentage: 0 }],
    shippingMethods: [{ name: 'Post', price: 500 }],
    paymentMethods: [
        { name: 'Card', handler: { code: dummyPaymentHandler.code, arguments: [{ name: 'automaticSettle', value: 'true' }] } },
    ],
    collections: [],
};

const start = () => bootstrap(config);
(fresh ? populate(start, world) : start())
    .then(() => {
        fs.writeFileSync(filled, '');
        console.log('READY');
    })
    .catch(error => {
        console.error(error);
        process.exit(1);
    });
