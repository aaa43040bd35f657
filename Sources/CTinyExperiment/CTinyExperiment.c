// The tiny experiment, carried by the program: recipes, problems and checkpoints, byte for byte.
// A test compares this list with what lies in the package.
#include "CTinyExperiment.h"

#ifdef __has_embed

#pragma clang diagnostic ignored "-Wc23-extensions"  // #embed

static const unsigned char base_chat_template_jinja[] = {
#embed "../../Checkpoints/tiny-base/chat_template.jinja"
};
static const unsigned char base_config_json[] = {
#embed "../../Checkpoints/tiny-base/config.json"
};
static const unsigned char base_generation_config_json[] = {
#embed "../../Checkpoints/tiny-base/generation_config.json"
};
static const unsigned char base_model_safetensors[] = {
#embed "../../Checkpoints/tiny-base/model.safetensors"
};
static const unsigned char base_tokenizer_json[] = {
#embed "../../Checkpoints/tiny-base/tokenizer.json"
};
static const unsigned char base_tokenizer_config_json[] = {
#embed "../../Checkpoints/tiny-base/tokenizer_config.json"
};
static const unsigned char teacher_chat_template_jinja[] = {
#embed "../../Checkpoints/tiny-teacher/chat_template.jinja"
};
static const unsigned char teacher_config_json[] = {
#embed "../../Checkpoints/tiny-teacher/config.json"
};
static const unsigned char teacher_generation_config_json[] = {
#embed "../../Checkpoints/tiny-teacher/generation_config.json"
};
static const unsigned char teacher_model_safetensors[] = {
#embed "../../Checkpoints/tiny-teacher/model.safetensors"
};
static const unsigned char teacher_tokenizer_json[] = {
#embed "../../Checkpoints/tiny-teacher/tokenizer.json"
};
static const unsigned char teacher_tokenizer_config_json[] = {
#embed "../../Checkpoints/tiny-teacher/tokenizer_config.json"
};
static const unsigned char recipe_1_generate_json5[] = {
#embed "../../Recipes/tiny/1-generate.json5"
};
static const unsigned char recipe_2_curate_json5[] = {
#embed "../../Recipes/tiny/2-curate.json5"
};
static const unsigned char recipe_3_fine_tune_json5[] = {
#embed "../../Recipes/tiny/3-fine-tune.json5"
};
static const unsigned char recipe_4_reinforce_base_json5[] = {
#embed "../../Recipes/tiny/4-reinforce-base.json5"
};
static const unsigned char recipe_5_reinforce_student_json5[] = {
#embed "../../Recipes/tiny/5-reinforce-student.json5"
};
static const unsigned char recipe_6_evaluate_json5[] = {
#embed "../../Recipes/tiny/6-evaluate.json5"
};
static const unsigned char recipe_7_compare_json5[] = {
#embed "../../Recipes/tiny/7-compare.json5"
};
static const unsigned char recipe_README_md[] = {
#embed "../../Recipes/tiny/README.md"
};
static const unsigned char easy_development_jsonl[] = {
#embed "../../Recipes/tiny/problems/easy-development.jsonl"
};
static const unsigned char easy_jsonl[] = {
#embed "../../Recipes/tiny/problems/easy.jsonl"
};
static const unsigned char hard_development_jsonl[] = {
#embed "../../Recipes/tiny/problems/hard-development.jsonl"
};
static const unsigned char hard_jsonl[] = {
#embed "../../Recipes/tiny/problems/hard.jsonl"
};
static const unsigned char training_jsonl_gz[] = {
#embed "../../Recipes/tiny/problems/training.jsonl.gz"
};

#define FILE_AT(path, bytes) {path, bytes, sizeof bytes}

static const ct_file ct_files[] = {
    FILE_AT("Checkpoints/tiny-base/chat_template.jinja", base_chat_template_jinja),
    FILE_AT("Checkpoints/tiny-base/config.json", base_config_json),
    FILE_AT("Checkpoints/tiny-base/generation_config.json", base_generation_config_json),
    FILE_AT("Checkpoints/tiny-base/model.safetensors", base_model_safetensors),
    FILE_AT("Checkpoints/tiny-base/tokenizer.json", base_tokenizer_json),
    FILE_AT("Checkpoints/tiny-base/tokenizer_config.json", base_tokenizer_config_json),
    FILE_AT("Checkpoints/tiny-teacher/chat_template.jinja", teacher_chat_template_jinja),
    FILE_AT("Checkpoints/tiny-teacher/config.json", teacher_config_json),
    FILE_AT("Checkpoints/tiny-teacher/generation_config.json", teacher_generation_config_json),
    FILE_AT("Checkpoints/tiny-teacher/model.safetensors", teacher_model_safetensors),
    FILE_AT("Checkpoints/tiny-teacher/tokenizer.json", teacher_tokenizer_json),
    FILE_AT("Checkpoints/tiny-teacher/tokenizer_config.json", teacher_tokenizer_config_json),
    FILE_AT("Recipes/tiny/1-generate.json5", recipe_1_generate_json5),
    FILE_AT("Recipes/tiny/2-curate.json5", recipe_2_curate_json5),
    FILE_AT("Recipes/tiny/3-fine-tune.json5", recipe_3_fine_tune_json5),
    FILE_AT("Recipes/tiny/4-reinforce-base.json5", recipe_4_reinforce_base_json5),
    FILE_AT("Recipes/tiny/5-reinforce-student.json5", recipe_5_reinforce_student_json5),
    FILE_AT("Recipes/tiny/6-evaluate.json5", recipe_6_evaluate_json5),
    FILE_AT("Recipes/tiny/7-compare.json5", recipe_7_compare_json5),
    FILE_AT("Recipes/tiny/README.md", recipe_README_md),
    FILE_AT("Recipes/tiny/problems/easy-development.jsonl", easy_development_jsonl),
    FILE_AT("Recipes/tiny/problems/easy.jsonl", easy_jsonl),
    FILE_AT("Recipes/tiny/problems/hard-development.jsonl", hard_development_jsonl),
    FILE_AT("Recipes/tiny/problems/hard.jsonl", hard_jsonl),
    FILE_AT("Recipes/tiny/problems/training.jsonl.gz", training_jsonl_gz),
};
const size_t ct_file_count = sizeof ct_files / sizeof ct_files[0];

#else

static const ct_file ct_files[] = {{NULL, NULL, 0}};
const size_t ct_file_count = 0;

#endif

const ct_file *ct_file_at(size_t place) {
  return place < ct_file_count ? &ct_files[place] : NULL;
}
