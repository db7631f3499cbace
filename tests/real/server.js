// An unmodified Vendure on loopback with its own small world: one country, one zone, one tax rate, one way of shipping, one way of paying.
// REAL_PORT and REAL_DATA (a folder) come from the test; the first start fills the database, later ones go on with it.
const fs = require('fs');
const path = require('path');
const { bootstrap, dummyPaymentHandler, defaultConfig } = require('@vendure/core');
const { populate } = require('@vendure/core/cli');

const database = path.join(process.env.REAL_DATA, 'vendure.sqlite');
const fresh = !fs.existsSync(database);

const config = {
    apiOptions: { hostname: '127.0.0.1', port: Number(process.env.REAL_PORT), adminApiPath: 'admin-api', shopApiPath: 'shop-api' },
    authOptions: {
        tokenMethod: ['bearer', 'api-key'],
        sessionDuration: process.env.REAL_SESSION || '1y',
        superadminCredentials: { identifier: 'superadmin', password: process.env.REAL_PASSWORD },
        requireVerification: false,
    },
    dbConnectionOptions: { type: 'better-sqlite3', database, synchronize: fresh, logging: false },
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
    .then(() => console.log('READY'))
    .catch(error => {
        console.error(error);
        process.exit(1);
    });
