export { OptionError, TikitakaError, type TikitakaErrorOptions } from './error.js';
